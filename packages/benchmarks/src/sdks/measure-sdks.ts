import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { startRuntime } from "../coordination/runtime-program.ts";
import { interleave, type Rounds } from "../interleave.ts";
import type { Answered } from "../load.ts";
import { programArguments } from "../program.ts";
import { type Rate, type Section, toFinding } from "../report.ts";
import { ratio, spread } from "../spread.ts";
import { installPythonSdk } from "./python-sdk.ts";

export interface ClientAnswered extends Answered {
  /** Microseconds of processor time of the client's process for one message. */
  readonly cpu: number;
}

export interface SdkOptions extends Rounds {
  readonly directory: string;
  /** Round trips of one round. */
  readonly count: number;
}

const own = fileURLToPath(
  new URL("bin/agentkeys-macp-runtime", import.meta.resolve("@agentkeys/macp/package.json")),
);

/** What a caller does again and again, in a decision. */
const subjects = {
  send: "one message and its Ack",
  evaluate: "session.evaluate",
};

/**
 * Our client beside the official SDKs that a public registry has, against one runtime in memory
 * (MACP_REFERENCE_BINARY, else ours). Our sessions also listen to their stream; the SDK's do not.
 */
export async function measureSdks(options: SdkOptions): Promise<Section[]> {
  const sdk = await installPythonSdk(options.directory);
  if ("missing" in sdk) {
    console.error(`not in this run: the official Python SDK: ${sdk.missing}`);
    return [];
  }
  console.error("not in this run: the official TypeScript SDK: on no public registry");
  const binary = process.env["MACP_REFERENCE_BINARY"] ?? own;
  const sections: Section[] = [];
  await using program = await startRuntime({ ...options, binary, storage: "memory" });
  for (const [subject, what] of Object.entries(subjects)) {
    for (const callers of [1, 16]) {
      const args = [program.target, subject, String(callers), String(options.count)];
      const ours = async () => {
        const given = programArguments("macp-client", args);
        return read((await promisify(execFile)(process.execPath, given)).stdout);
      };
      const theirs = async () => read(await sdk.roundTrips(...args));
      const seen = await interleave({ ours, theirs }, options);
      sections.push(toSection(`${what}, ${callers} at a time`, sdk.name, seen));
    }
  }
  return sections;
}

const read = (text: string): ClientAnswered => JSON.parse(text) as ClientAnswered;

function toSection(
  what: string,
  name: string,
  { ours, theirs }: Record<"ours" | "theirs", ClientAnswered[]>,
): Section {
  const by = (field: keyof ClientAnswered) =>
    ratio({ rounds: ours.map((one) => one[field]) }, { rounds: theirs.map((one) => one[field]) });
  return {
    title: `Clients: ${what}`,
    findings: [
      toFinding({ what: `round trips, ${what}, by ${name}`, unit: "x", ...by("perSecond") }),
      toFinding({ what: `client's processor time, ${what}, by ${name}`, unit: "x", ...by("cpu") }),
    ],
    rates: { ours: toRate(ours), [name]: toRate(theirs) },
  };
}

function toRate(rounds: readonly Answered[]): Rate {
  const median = (field: keyof Answered): number => spread(rounds.map((one) => one[field])).value;
  return {
    perSecond: median("perSecond"),
    p50: median("p50"),
    p99: median("p99"),
    rounds: rounds.map(({ perSecond }) => perSecond),
  };
}
