import { type Observation, observe, type Played } from "./observe.ts";
import { type Mode, type ShapeName, slowShapes } from "./shapes.ts";
import { openStage, type Stage } from "./stage.ts";

/** Plays one shape through a framework's real loop; null where the framework has nothing of the kind, or not in this mode. */
export type Play = (stage: Stage, mode: Mode) => Promise<Played> | null;

/** Every shape in one framework. */
export interface Plays {
  readonly framework: string;
  readonly modes: readonly Mode[];
  readonly plays: Readonly<Record<ShapeName, Play>>;
  /** What is to be said about a shape: why it cannot be covered, or is not there. A cell in which something ran needs one. */
  readonly notes: Readonly<Partial<Record<ShapeName, string>>>;
}

/** What was seen, or that there is nothing to see. */
export type Cell = Observation | "n/a";

/** Decisions that hang are waited for, all others may take their time on a busy machine. Milliseconds. */
const deadlines = { slow: 150, other: 20_000 };

/** Rejects when the play itself breaks. */
export async function playCell(plays: Plays, shape: ShapeName, mode: Mode): Promise<Cell> {
  if (!plays.modes.includes(mode)) return "n/a";
  const deadline = slowShapes.has(shape) ? deadlines.slow : deadlines.other;
  await using stage = await openStage(deadline);
  try {
    const played = await plays.plays[shape](stage, mode);
    return played === null ? "n/a" : observe(played, stage.effects, await stage.records());
  } catch (cause) {
    throw new Error(`${plays.framework}, ${shape}, ${mode}: the play broke`, { cause });
  }
}
