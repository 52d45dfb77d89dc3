import type { Answer } from "./observe.ts";
import { type Cell, playCell, type Plays } from "./play.ts";
import { type Mode, modes, type ShapeName, shapeNames } from "./shapes.ts";

/** Framework, shape, mode. */
export type Table = Readonly<
  Record<string, Readonly<Record<ShapeName, Readonly<Record<Mode, Cell>>>>>
>;

/** Cells that are played at the same time: most of their time is waiting. */
const atOnce = 4;

/** Plays every cell, each on a stage of its own. */
export async function playAll(frameworks: readonly Plays[]): Promise<Table> {
  const cells = frameworks.flatMap((plays) =>
    shapeNames.flatMap((shape) => modes.map((mode) => ({ plays, shape, mode }))),
  );
  const seen = new Map<string, Cell>();
  const left = cells.values();
  const work = async (): Promise<void> => {
    for (const { plays, shape, mode } of left) {
      seen.set(keyOf(plays.framework, shape, mode), await playCell(plays, shape, mode));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
  const row = (framework: string, shape: ShapeName) =>
    byKey(modes, (mode) => seen.get(keyOf(framework, shape, mode)) ?? ("n/a" as const));
  return Object.fromEntries(
    frameworks.map(({ framework }) => [
      framework,
      byKey(shapeNames, (shape) => row(framework, shape)),
    ]),
  );
}

/** The table as text that changes only where a cell does. */
export function toJson(table: Table): string {
  return `${JSON.stringify(table, (_, value: unknown) => compact(value), 2)}\n`;
}

/** Cells in which something ran that nobody has explained. */
export function unexplained(table: Table, frameworks: readonly Plays[]): string[] {
  return frameworks.flatMap(({ framework, notes }) =>
    shapeNames.flatMap((shape) =>
      modes.flatMap((mode) => {
        const cell = table[framework]?.[shape][mode] ?? "n/a";
        const open = cell !== "n/a" && cell.ran === "yes" && notes[shape] === undefined;
        return open ? [keyOf(framework, shape, mode)] : [];
      }),
    ),
  );
}

export const columns = ["ran", "denied", "recorded", "survived", "done"] as const;

/** A cell in one line. */
function compact(value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("ran" in value)) return value;
  const answers = value as Readonly<Record<(typeof columns)[number], Answer>>;
  return columns.map((column) => `${column}: ${answers[column]}`).join(", ");
}

function keyOf(framework: string, shape: ShapeName, mode: Mode): string {
  return `${framework}, ${shape}, ${mode}`;
}

function byKey<K extends string, V>(keys: readonly K[], value: (key: K) => V): Record<K, V> {
  return Object.fromEntries(keys.map((key) => [key, value(key)])) as Record<K, V>;
}
