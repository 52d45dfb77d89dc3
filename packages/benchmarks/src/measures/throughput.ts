import { mkdtempDisposable } from "node:fs/promises";
import { join } from "node:path";
import { appendFor, openAppendFile } from "../append-file.ts";
import { type Exchange, recordExchanges } from "../exchanges.ts";
import { interleave, type Rounds } from "../interleave.ts";
import type { Answered, Generator } from "../load.ts";
import { startProgram } from "../program.ts";
import { type Finding, type Rate, type Section, toFinding } from "../report.ts";
import { quantile, ratio, spread } from "../spread.ts";

export interface ThroughputOptions extends Rounds {
  readonly directory: string;
  readonly generator: Generator;
  /** Numbers of clients to try. */
  readonly clients: readonly number[];
  /** Of one subject in one round. */
  readonly seconds: number;
}

/** Answers that are given only when their record is durable, beside a server that does nothing and a plain file. */
export async function measureThroughput(options: ThroughputOptions): Promise<Section[]> {
  const sections = [];
  for (const clients of options.clients) sections.push(await section(clients, options));
  return sections;
}

type Subject =
  | "bare node:http"
  | "guard/begin"
  | "permission.check"
  | "audit.append"
  | "raw appends";

/** The authority is a fresh one, so that every number of clients meets a log of the same length. */
async function section(clients: number, options: ThroughputOptions): Promise<Section> {
  const { generator, seconds } = options;
  await using data = await mkdtempDisposable(join(options.directory, "loaded-"));
  using file = openAppendFile(data.path);
  await using authority = await startProgram("authority", join(data.path, "authority"));
  await using bare = await startProgram("bare-server");
  const { begin, check, append } = await recordExchanges();
  const load = (url: string, exchange: Exchange) => () =>
    generator.generate({ url, exchange, clients, seconds });
  const subjects = {
    "bare node:http": load(`${bare.url}?bytes=${begin.answerBytes}`, begin),
    "guard/begin": load(authority.url, begin),
    "permission.check": load(authority.url, check),
    "audit.append": load(authority.url, append),
    "raw appends": async () => appendFor(seconds, clients, file),
  };
  const results = await interleave<Subject, Answered>(subjects, options);
  await assertNoFailures(authority.url);
  const rates = Object.fromEntries(
    Object.entries(results).map(([name, rounds]) => [name, toRate(rounds)]),
  ) as Record<Subject, Rate>;
  const at = `${clients} ${clients === 1 ? "client" : "clients"}`;
  return { title: `Throughput, ${at}`, findings: findingsOf(at, rates), rates };
}

function findingsOf(at: string, rates: Record<Subject, Rate>): Finding[] {
  const bare = rates["bare node:http"];
  const begin = rates["guard/begin"];
  const what = `durable audited checks (guard/begin), ${at}`;
  const aim = at === "64 clients" && { aim: { least: 20_000 } };
  const subjects = ["guard/begin", "permission.check", "audit.append"] as const;
  return [
    toFinding({ what, unit: "per_s", ...spread(begin.rounds), ...aim }),
    ...subjects.map((name) =>
      toFinding({
        what: `${name} by bare node:http, ${at}`,
        unit: "x",
        ...ratio(rates[name], bare),
      }),
    ),
  ];
}

function toRate(rounds: readonly Answered[]): Rate {
  const median = (values: number[]): number => quantile(values, 0.5);
  return {
    perSecond: median(rounds.map(({ perSecond }) => perSecond)),
    p50: median(rounds.map(({ p50 }) => p50)),
    p99: median(rounds.map(({ p99 }) => p99)),
    rounds: rounds.map(({ perSecond }) => perSecond),
  };
}

/** A refusal is HTTP 200 too, and quicker than the real thing. */
async function assertNoFailures(url: string): Promise<void> {
  const metrics = await (await fetch(new URL("/metrics", url))).text();
  const failures = metrics.match(/^agentkeys_failures_total\{.*$/gm);
  if (failures !== null) throw new Error(`the authority refused: ${failures.join(", ")}`);
}
