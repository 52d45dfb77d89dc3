import { AgentKeysError, inputDigest } from "@agentkeys/contract";
import { assertRow } from "./classify-call.ts";
import { isAborted, isRefusal } from "./decision.ts";
import type {
  Allowed,
  Denial,
  Guard,
  GuardOptions,
  GuardRow,
  JsonObject,
  Open,
} from "./guard-surface.ts";
import { type End, HandOvers } from "./hand-over.ts";
import { createJudge, type Judge } from "./judge.ts";
import { type Sealed, sealCall } from "./seal-call.ts";
import { wireOf } from "./wire.ts";
import { wrapFunction } from "./wrap-function.ts";

/** Decides, writes down, runs, writes down. Throws `config_invalid` for a row that could never govern anything. */
export function createGuard<Inputs extends object = Record<string, JsonObject>>(
  options: GuardOptions<Inputs>,
): Guard {
  const { client, classify } = options;
  const digestKey = keyOf(options.digestKey);
  const tools = Object.freeze({ ...options.tools }) as Readonly<Record<string, GuardRow>>;
  for (const [tool, row] of Object.entries(tools)) assertRow(row, `tools.${tool}`);
  const wire = wireOf(client);
  const judge = createJudge({ client, tools, classify, digestKey }, wire);
  const handOvers = new HandOvers(wire);
  // The first digest has the fast hash compiled.
  inputDigest(null);

  const guard: Guard = {
    client,
    open: async (call) => start(sealCall(call), { judge, handOvers }),
    async run(call, execute) {
      const sealed = sealCall(call);
      const { signal } = sealed;
      const opened = await start(sealed, { judge, handOvers });
      if (opened.status !== "open") return opened;
      let result;
      try {
        result = await execute(opened.input, signal === undefined ? {} : { signal });
      } catch (error) {
        await opened.end(isAborted(signal) ? "aborted" : "error");
        throw error;
      }
      await opened.end("ok");
      return { status: "ran", result };
    },
    async decide(call): Promise<Allowed | Denial> {
      const sealed = sealCall(call);
      const verdict = await judge(sealed);
      if (isRefusal(verdict)) return verdict;
      const { end } = verdict;
      const ended = handOvers.keep(sealed, end) ?? once(end);
      return { status: "allowed", ended };
    },
    async refuse(call, reason, explanation): Promise<Denial> {
      const refused = { code: "permission_denied", reason, explanation } as const;
      return (await judge({ ...sealCall(call), refused })) as Denial;
    },
    wrap: (tool, execute, wrapping) => wrapFunction(guard, execute, { ...wrapping, tool }),
  };
  return Object.freeze(guard);
}

/** What the seam decided on this very input, used up; else a decision of its own. */
async function start(
  sealed: Sealed,
  { judge, handOvers }: { judge: Judge; handOvers: HandOvers },
): Promise<Open | Denial> {
  let end = handOvers.take(sealed);
  if (end !== undefined && isAborted(sealed.signal)) {
    // The seam may not have known the run's signal.
    await end("not_run");
    end = undefined;
  }
  if (end === undefined) {
    const verdict = await judge(sealed);
    if (isRefusal(verdict)) return verdict;
    ({ end } = verdict);
  }
  return { status: "open", input: sealed.input?.value as JsonObject, end: once(end) };
}

/** A copy, because a program may wipe its own. Under an empty or guessable key a digest is as good as a plain one. */
function keyOf(given: unknown): Uint8Array | undefined {
  if (given === undefined) return undefined;
  if (ArrayBuffer.isView(given) && given.byteLength >= 16) {
    return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
  }
  throw new AgentKeysError("config_invalid", "digestKey: expected at least 16 bytes");
}

function once(end: End): End {
  let ended = false;
  return async (outcome) => {
    if (ended) return;
    ended = true;
    await end(outcome);
  };
}
