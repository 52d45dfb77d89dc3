import { isHeld } from "../matrix/observe.ts";
import { type ShapeName, shapeNames, shapes } from "../matrix/shapes.ts";
import type { Overhead } from "./overhead.ts";
import type { PeerCell } from "./peer.ts";
import { cellKey, patience, type PeerCells, peerModes } from "./play-peer.ts";

/** One column of the page. */
export interface Column {
  readonly name: string;
  readonly isOurs: boolean;
  readonly join: string;
  readonly notes: Readonly<Partial<Record<ShapeName, string>>>;
}

export interface PeersReport {
  /** ISO day. */
  readonly day: string;
  /** What it ran on, in one line. */
  readonly machine: string;
  /** By package. */
  readonly versions: Readonly<Record<string, string>>;
  readonly columns: readonly Column[];
  readonly cells: PeerCells;
  readonly overhead: Overhead | undefined;
  /** What could not be had, and why. */
  readonly missing: readonly string[];
}

export function renderPeers(report: PeersReport): string {
  const { day, machine, versions, missing } = report;
  const ran = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# The same shapes, with what else there is

The shapes of the [bypass matrix](bypass-matrix.md), played against what one would pick instead: each framework's own approval,
\`@ai-sdk/policy-opa\`, Microsoft's AGT. Every cell is read off the side effects of the tools in a run of \`npx -y pnpm@12 bench:peers\`, none off a
README. \`--update\` writes this page.

Run on ${day}: ${machine}. ${ran.join(" · ")}. The peers' own packages are installed apart for
the run and meet these versions of the frameworks, whatever they pin.
${missing.map((one) => `\n**Not in this run**: ${one}\n`).join("")}
Each peer was given the same policy in its own words: \`pay\` up to 400 yes, up to 500 a person, above 500 no; handing over to another agent yes; no
opinion on any other tool. Modes: ${peerModes.join(" and ")}, named where they differ.

- **held**: nothing ran that must not, what was allowed ran, the model read each refusal, the run came to its end. ᵣ: and the peer's own record has every
  effect and every refusal (AgentKeys: every intent and outcome, on disk).
- **RAN**: something ran that must not, or twice.
- **died**: nothing ran that must not, but the run ended with an exception; **crash**: with an unhandled rejection, which ends a Node.js process.
- **lost**: nothing ran that must not, nor did something that was allowed. **unread**: the model did not learn of a refusal.
- **unrecorded**: AgentKeys only, as in its matrix: a record is missing. Peers are not asked for one.
- **hung**: nothing ran, and nobody had an answer within ${patience / 1000} s.
- –: there is no such thing, or it has no place for it.

Two things to know before comparing. _renamed_ is lost by whatever has no opinion, because there that means yes; the same callback with a no at its end
would hold. _Edited after approval_ is done by whoever holds what the approval lies in: the client's history (AI SDK), the thread's state (LangChain.js),
the storage (Mastra).

${overview(report)}
${counts(report)}
${overheadText(report.overhead)}## How each was joined

${joins(report)}`;
}

function overview({ columns, cells }: PeersReport): string {
  const rows = shapeNames.map((shape) => [
    `**${shape}**: ${shapes[shape]}`,
    ...columns.map((column) => groups(cells, column, shape)),
  ]);
  return grid(["shape", ...columns.map(({ name }) => name)], rows);
}

function groups(cells: PeerCells, { name, isOurs }: Column, shape: ShapeName): string {
  const words = peerModes.map((mode) =>
    wordOf(cells.get(cellKey(name, shape, mode)) ?? "n/a", isOurs),
  );
  if (new Set(words).size === 1) return words[0] ?? "–";
  return words.map((word, i) => `${word} (${peerModes[i] ?? ""})`).join(", ");
}

export function wordOf(cell: PeerCell, isOurs: boolean): string {
  if (cell === "n/a") return "–";
  if (typeof cell === "string") return cell;
  const { ran, survived, done, denied, recorded } = cell;
  if (ran === "yes") return "RAN";
  if (survived === "no") return "died";
  if (done === "no") return "lost";
  if (denied === "no") return "unread";
  if (isOurs && !isHeld(cell)) return "unrecorded";
  return recorded === "yes" ? "heldᵣ" : "held";
}

/** How many of the shapes that there are for it each one holds in every mode. */
function counts({ columns, cells }: PeersReport): string {
  const rows = columns.map(({ name, isOurs }) => {
    const words = shapeNames.map((shape) =>
      peerModes.map((mode) => wordOf(cells.get(cellKey(name, shape, mode)) ?? "n/a", isOurs)),
    );
    const there = words.filter((modes) => modes.some((word) => word !== "–"));
    const all = (test: (word: string) => boolean) =>
      there.filter((modes) => modes.some(test)).length;
    const held = there.filter((modes) => modes.every((word) => /^(held|–)/.test(word))).length;
    const ran = all((word) => word === "RAN");
    return [
      name,
      String(held),
      String(ran),
      String(there.length - held - ran),
      String(there.length),
    ];
  });
  return grid(["", "held", "ran in some mode", "broken otherwise", "shapes there are"], rows);
}

function overheadText(overhead: Overhead | undefined): string {
  if (overhead === undefined) return "";
  const { timings, added, ratios } = overhead;
  const us = (value: number): string => value.toFixed(1);
  const rows = Object.entries(timings).map(([name, { p50, p99, samples }]) => [
    name,
    us(p50),
    us(p99),
    String(samples),
  ]);
  const compared = Object.entries(ratios).map(([name, { value, low, high }]) => {
    const spread = `${low.toFixed(2)} to ${high.toFixed(2)} in the middle half of the rounds`;
    return `- by **${name}**: ${value.toFixed(2)} (${spread})`;
  });
  const isMet = ratios["AGT, log not full"].value <= 1;
  return `## In this process

One guarded call, microseconds; all take turns in one process. \`guard.run\` stands before an authority that answers at once and writes nothing, AGT
keeps its record in memory: 10,000 entries by default, and once these are full each further one costs it more. What two durable records cost on top
is in the [benchmarks](benchmarks.md).

${grid(["", "p50", "p99", "calls"], rows)}
\`guard.run\` adds ${us(added["guard.run"].value)} µs to the bare call. What ours adds, by what AGT adds:

${compared.join("\n")}

The aim is at most 1.0 while AGT's log is not full: ${isMet ? "met" : "**missed**"} in this run.

`;
}

function joins({ columns }: PeersReport): string {
  return columns
    .flatMap(({ name, join, notes, isOurs }) => {
      const told = isOurs ? [] : Object.entries(notes).map(([shape, why]) => `_${shape}_: ${why}`);
      return [`- **${name}**: ${[join, ...told].join(" ")}`];
    })
    .join("\n")
    .concat("\n");
}

/** Padded as the formatter wants it. */
function grid(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const widths = head.map((_, i) =>
    Math.max(3, ...[head, ...rows].map((row) => row[i]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string => {
    const padded = cells.map((cell, i) => cell + " ".repeat((widths[i] ?? 0) - cell.length));
    return `| ${padded.join(" | ")} |`;
  };
  const rule = widths.map((width) => "-".repeat(width));
  return [line(head), line(rule), ...rows.map(line), ""].join("\n");
}
