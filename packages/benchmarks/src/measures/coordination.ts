import { execFile } from "node:child_process";
import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { newSessionId } from "@agentkeys/macp";
import { sendRequestTo, sender, startNotes } from "../coordination/notes.ts";
import { startRuntime } from "../coordination/runtime-program.ts";
import { appendFor, openAppendFile } from "../append-file.ts";
import { findGrpcGenerator, type GrpcGenerator } from "../generators/grpc.ts";
import { interleave, type Rounds } from "../interleave.ts";
import type { Answered } from "../load.ts";
import { programArguments, startProgram } from "../program.ts";
import { type Finding, type Rate, type Section, toFinding } from "../report.ts";
import { ratio, spread } from "../spread.ts";

export interface CoordinationOptions extends Rounds {
  readonly directory: string;
  /** Messages of one round in process. */
  readonly messages: number;
  /** Of one gRPC subject in one round. */
  readonly seconds: number;
}

const own = fileURLToPath(
  new URL("bin/agentkeys-macp-runtime", import.meta.resolve("@agentkeys/macp/package.json")),
);

/** The embedded runtime: in this kind of process, and over gRPC beside a reference runtime where there is one. */
export async function measureCoordination(options: CoordinationOptions): Promise<Section[]> {
  const generator = await findGrpcGenerator(options.directory);
  const sections = [await inProcess(options)];
  for (const storage of ["memory", "disk"] as const) {
    for (const sessions of [1, 16]) {
      sections.push(await overGrpc(options, { generator, storage, sessions }));
    }
  }
  return sections;
}

async function inProcess(options: CoordinationOptions): Promise<Section> {
  const run = (subject: string) => async (): Promise<Answered> => {
    const directory = await mkdtemp(join(options.directory, "replayed-"));
    const given = [subject, String(options.messages), directory];
    const { stdout } = await promisify(execFile)(
      process.execPath,
      programArguments("macp-in-process", given),
    );
    return JSON.parse(stdout) as Answered;
  };
  const subjects = {
    "messages without rules": run("notes"),
    evaluations: run("evaluations"),
    "entries replayed": run("replay"),
  };
  const rates = toRates(await interleave(subjects, options));
  const atLeast = (what: string, name: keyof typeof subjects): Finding =>
    toFinding({ what, unit: "per_s", ...spread(rates[name].rounds), aim: { least: 100_000 } });
  return {
    title: "Coordination: in process, one caller after the other",
    findings: [
      atLeast("accepted messages in process", "messages without rules"),
      atLeast("accepted evaluations of decisions in process", "evaluations"),
      atLeast("replay of a log from disk, entries", "entries replayed"),
    ],
    rates,
  };
}

interface GrpcOptions {
  readonly generator: GrpcGenerator;
  readonly storage: "memory" | "disk";
  /** Each with one caller. */
  readonly sessions: number;
}

/** What Node's gRPC library costs by itself. */
const library = "grpc-js with an empty handler";
/** What the disk gives to so many who wait for one sync. */
const disk = "raw appends";

type Subject = () => Promise<Answered>;

async function openSubjects(
  opened: AsyncDisposableStack,
  { directory, seconds }: CoordinationOptions,
  { generator, storage, sessions }: GrpcOptions,
): Promise<Record<string, Subject>> {
  const reference = process.env["MACP_REFERENCE_BINARY"];
  const token = sender.expectedSender ?? "";
  const path = "/macp.v1.MACPRuntimeService/Send";
  const load = (target: string, start: () => Promise<string[]>) => async () => {
    const requests = (await start()).map(sendRequestTo);
    return generator.generate({ target, seconds, path, token, requests });
  };
  const subjects: Record<string, Subject> = {};
  for (const binary of [own, ...(reference === undefined ? [] : [reference])]) {
    const program = opened.use(await startRuntime({ binary, storage, directory }));
    const { target, client, version } = program;
    subjects[binary === own ? "ours" : version] = load(target, () => startNotes(client, sessions));
  }
  if (storage === "disk") {
    const file = opened.use(openAppendFile(directory));
    subjects[disk] = async () => appendFor(seconds, sessions, file);
  } else {
    const { url } = opened.use(await startProgram("empty-grpc"));
    subjects[library] = load(url, async () => Array.from({ length: sessions }, newSessionId));
  }
  return subjects;
}

/** Of the reference runtime's rate, on the same cores with the same client. */
const aims = {
  memory: { 1: 0.7, 16: 0.7 },
  disk: { 1: 2.5, 16: 4 },
} as const;

async function overGrpc(options: CoordinationOptions, grpc: GrpcOptions): Promise<Section> {
  const { generator, storage, sessions } = grpc;
  await using opened = new AsyncDisposableStack();
  const subjects = await openSubjects(opened, options, grpc);
  const rates = toRates(await interleave(subjects, options));
  const where = storage === "memory" ? "in memory" : "on disk";
  const at = `${sessions} ${sessions === 1 ? "session" : "sessions"}`;
  const findings = Object.entries(rates).flatMap(([name, rate]) => {
    const ours = rates["ours"];
    if (name === "ours" || ours === undefined) return [];
    const what = `Send ${where}, ${at}, by ${name}`;
    const least = aims[storage][sessions === 1 ? 1 : 16];
    const aim = name === library || name === disk ? {} : { aim: { least } };
    return [toFinding({ what, unit: "x", ...ratio(ours, rate), ...aim })];
  });
  return {
    title: `Coordination: Send over gRPC ${where}, ${at}, load from ${generator.name}`,
    findings,
    rates,
  };
}

function toRates<Name extends string>(results: Record<Name, Answered[]>): Record<Name, Rate> {
  const rates = Object.entries<Answered[]>(results).map(([name, rounds]) => [name, toRate(rounds)]);
  return Object.fromEntries(rates) as Record<Name, Rate>;
}

function toRate(rounds: readonly Answered[]): Rate {
  const median = (values: number[]): number => spread(values).value;
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    rounds: rounds.map(({ perSecond }) => perSecond),
  };
}
