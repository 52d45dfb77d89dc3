import { isHeld } from "./observe.ts";
import type { Cell, Plays } from "./play.ts";
import { type Mode, type ShapeName, shapeNames, shapes } from "./shapes.ts";
import { columns, type Table } from "./table.ts";

const intro = `# The bypass matrix

Every way by which an agent comes to run a tool, and what can go wrong on it, played through each framework's real loop with a real
authority. Each cell is read off the side effects of the tools and the authority's own log. \`npx -y pnpm@12 matrix\` plays it and says what
differs from this page; a test fails on any difference until \`npx -y pnpm@12 matrix:update\` is run and the page committed.

- **ran**: something ran that must not, or twice.
- **denied**: the model (or the caller) read every refusal as one.
- **recorded**: every effect has an intent before it and an outcome after it, and every refusal a record.
- **survived**: the run came to the end that it would have had without the guard.
- **done**: what is allowed ran.

**Held**: nothing ran that must not, and every other answer is yes. **Cannot be covered**: something ran; the note says why. "\\*": there is a
note below. "–": there was nothing to see. For machines: [the same table](bypass-matrix.json).
`;

/** The table for people. */
export function toMarkdown(table: Table, frameworks: readonly Plays[]): string {
  return [
    intro,
    overview(table, frameworks),
    ...frameworks.map((plays) => section(table, plays)),
  ].join("\n");
}

function overview(table: Table, frameworks: readonly Plays[]): string {
  const head = ["shape", ...frameworks.map(({ framework }) => framework)];
  const rows = shapeNames.map((shape) => [
    `**${shape}**: ${shapes[shape]}`,
    ...frameworks.map((plays) => {
      const groups = grouped(table, plays, shape);
      const told = groups.map(({ cell, label }) => groupedText(word(cell), label)).join("; ");
      return plays.notes[shape] === undefined ? told : `${told} \\*`;
    }),
  ]);
  return grid(head, rows);
}

function section(table: Table, plays: Plays): string {
  const { framework, notes } = plays;
  const rows = shapeNames.flatMap((shape) =>
    grouped(table, plays, shape).flatMap(({ cell, label }) =>
      cell === "n/a" ? [] : [[groupedText(shape, label), ...columns.map((c) => mark(cell[c]))]],
    ),
  );
  const told = shapeNames.flatMap((shape) => {
    const note = notes[shape];
    return note === undefined ? [] : [`- **${shape}**: ${note}`];
  });
  const head = `## ${framework}\n\nIn each of these modes: ${plays.modes.join(", ")}.\n`;
  return [head, grid(["shape", ...columns], rows), ...told, ""].join("\n");
}

/** Modes with the same answer, together. No label where all modes of the framework have it. */
function grouped(table: Table, { framework, modes }: Plays, shape: ShapeName) {
  const groups = new Map<string, { cell: Cell; in: Mode[] }>();
  for (const mode of modes) {
    const cell = table[framework]?.[shape][mode] ?? "n/a";
    const key = JSON.stringify(cell);
    const group = groups.get(key) ?? { cell, in: [] };
    groups.set(key, group);
    group.in.push(mode);
  }
  const all = groups.size === 1;
  return [...groups.values()].map((group) => ({
    cell: group.cell,
    label: all ? "" : group.in.join(", "),
  }));
}

function groupedText(text: string, label: string): string {
  return label === "" ? text : `${text} (${label})`;
}

function word(cell: Cell): string {
  if (cell === "n/a") return "n/a";
  if (isHeld(cell)) return "held";
  if (cell.ran === "yes") return "**cannot be covered**";
  const missing = columns.filter((column) => column !== "ran" && cell[column] === "no");
  return `not ${missing.join(", not ")}`;
}

function mark(answer: string): string {
  return answer === "-" ? "–" : answer;
}

function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
  return [line(head), line(head.map(() => "---")), ...rows.map(line), ""].join("\n");
}
