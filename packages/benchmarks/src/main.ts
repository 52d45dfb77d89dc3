import { mkdtempDisposable, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { findGenerator } from "./find-generator.ts";
import { describeMachine } from "./machine.ts";
import { print } from "./print.ts";
import { openReaches } from "./reach.ts";
import type { Report, Section } from "./report.ts";

const { values } = parseArgs({
  options: {
    quick: { type: "boolean", default: false },
    json: { type: "string" },
    only: { type: "string", default: "calls,steps,throughput,coordination" },
    data: { type: "string", default: tmpdir() },
  },
});

const sizes = {
  full: {
    steps: { rounds: 40, warmup: 20, runs: 10 },
    calls: { rounds: 40, warmup: 2, calls: 60 },
    throughput: { rounds: 5, warmup: 1, clients: [1, 64, 256], seconds: 2 },
    coordination: { rounds: 5, warmup: 1, messages: 100_000, seconds: 2 },
    sdks: { rounds: 5, warmup: 1, count: 4000 },
  },
  quick: {
    steps: { rounds: 1, warmup: 0, runs: 1 },
    calls: { rounds: 1, warmup: 0, calls: 10 },
    throughput: { rounds: 1, warmup: 0, clients: [64], seconds: 1 },
    coordination: { rounds: 1, warmup: 0, messages: 2000, seconds: 0.2 },
    sdks: { rounds: 1, warmup: 0, count: 400 },
  },
};

async function measure(directory: string): Promise<Report> {
  const only = new Set(values.only.split(","));
  const size = values.quick ? sizes.quick : sizes.full;
  const generator = await findGenerator();
  const machine = describeMachine(directory, generator.name);
  const sections: Section[] = [];
  await using reaches = await openReaches(directory);
  // Loaded where they are wanted: frameworks fill the heap that other measurements would share.
  if (only.has("calls")) {
    const { measureCalls } = await import("./measures/calls.ts");
    sections.push(...(await measureCalls({ ...size.calls, reaches, directory })));
  }
  if (only.has("steps")) {
    const { measureSteps } = await import("./measures/steps.ts");
    sections.push(...(await measureSteps({ ...size.steps, reaches })));
  }
  // Last: what it wrote keeps the disk busy for a while.
  if (only.has("throughput")) {
    const { measureThroughput } = await import("./measures/throughput.ts");
    sections.push(...(await measureThroughput({ ...size.throughput, directory, generator })));
  }
  if (only.has("coordination")) {
    const { measureCoordination } = await import("./measures/coordination.ts");
    sections.push(...(await measureCoordination({ ...size.coordination, directory })));
  }
  // Only where it is asked for: it installs what it compares with.
  if (only.has("sdks")) {
    const { measureSdks } = await import("./sdks/measure-sdks.ts");
    sections.push(...(await measureSdks({ ...size.sdks, directory })));
  }
  return { version: 1, quick: values.quick, machine, sections };
}

await using directory = await mkdtempDisposable(join(values.data, "agentkeys-bench-"));
const report = await measure(directory.path);
if (values.json !== undefined) await writeFile(values.json, `${JSON.stringify(report, null, 2)}\n`);
process.stdout.write(print(report));
