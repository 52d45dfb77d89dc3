import type { Finding, Report, Section } from "./report.ts";

type Cells = readonly string[];

/** The report for people: how the subjects compare first, then what was measured. */
export function print({ machine, sections }: Report): string {
  const { node, cores, load, fileSystem, generator } = machine;
  const about = `Node ${node}, ${cores} cores, load ${load.join(" ")} at the start, data on ${fileSystem}, load from ${generator}`;
  const tables = sections.flatMap((section) => [`\n${section.title}\n`, measured(section)]);
  return [about, "", compared(sections.flatMap(({ findings }) => findings)), ...tables, ""].join(
    "\n",
  );
}

function compared(findings: readonly Finding[]): string {
  const rows = findings.map((finding) => [
    finding.what,
    amount(finding, finding.value),
    `${amount(finding, finding.low)} to ${amount(finding, finding.high)}`,
    aimOf(finding),
    finding.met === undefined ? "" : finding.met ? "met" : "MISSED",
  ]);
  return table(["comparison", "median", "middle half of rounds", "aim", ""], rows);
}

function amount({ unit }: Finding, value: number): string {
  if (unit === "x") return `${value.toFixed(2)}x`;
  return unit === "us" ? `${value.toFixed(1)} us` : `${whole(value)}/s`;
}

function aimOf(finding: Finding): string {
  const { aim } = finding;
  if (aim === undefined) return "";
  return "most" in aim
    ? `at most ${amount(finding, aim.most)}`
    : `at least ${amount(finding, aim.least)}`;
}

function measured({ timings = {}, rates = {} }: Section): string {
  const timed = Object.entries(timings).map(([name, { p50, p99, samples }]) => [
    name,
    p50.toFixed(1),
    p99.toFixed(1),
    String(samples),
  ]);
  const rated = Object.entries(rates).map(([name, { perSecond, p50, p99, rounds }]) => [
    name,
    whole(perSecond),
    `${whole(Math.min(...rounds))} to ${whole(Math.max(...rounds))}`,
    whole(p50),
    whole(p99),
  ]);
  return timed.length > 0
    ? table(["subject", "p50 us", "p99 us", "samples"], timed)
    : table(["subject", "per second", "rounds", "p50 us", "p99 us"], rated);
}

function whole(value: number): string {
  return Math.round(value).toLocaleString("en");
}

function table(head: Cells, rows: readonly Cells[]): string {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  const line = (row: Cells): string =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  ")
      .trimEnd();
  const rule = widths.map((width) => "-".repeat(width)).join("  ");
  return [line(head), rule, ...rows.map(line)].join("\n");
}
