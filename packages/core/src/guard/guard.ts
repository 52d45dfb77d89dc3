import { inputDigest } from "@agentkeys/contract";
import { ask, type Asks, asksOf } from "../approvals/asks.ts";
import { assertRules } from "./rules.ts";
import { type Begun, isAborted, isRefusal, toDenial, type Verdict } from "./decision.ts";
import type {
  Allowed,
  AskOptions,
  Denial,
  Guard,
  GuardOf,
  GuardOptions,
  JsonObject,
  Open,
} from "./guard-surface.ts";
import { endOf, HandOvers } from "./hand-over.ts";
import { coverageOf } from "../coverage/coverage.ts";
import { digestOf } from "./judge.ts";
import { runCall } from "./run-call.ts";
import { type Sealed, sealCall } from "./seal-call.ts";
import { forget, withdrawCall } from "../approvals/withdraw.ts";
import { wireOf } from "../transport/wire.ts";
import { wrapFunction } from "./wrap-function.ts";

/** Decides, writes down, runs, writes down. Throws `config_invalid` for what could never govern anything. */
export function createGuard<Inputs extends object = Record<string, JsonObject>>(
  options: GuardOptions<Inputs>,
): GuardOf<Inputs> {
  const { client } = options;
  const wire = wireOf(client);
  const rules = assertRules(options);
  const asks = asksOf(options, rules, wire);
  const handOvers = new HandOvers(wire);
  // The first digest has the fast hash compiled.
  inputDigest(null);

  const start = starterOf(handOvers, asks);

  const guard: Guard = {
    client,
    async run(call, execute, running) {
      const sealed = sealCall(call);
      const verdict = await start(sealed, running);
      if (isRefusal(verdict)) return verdict;
      if (verdict.status === "executed") {
        return { status: "ran", result: verdict.result as never, replayed: true };
      }
      const { secrets } = wire;
      return await runCall(verdict, { guard, sealed, execute, outcome: running?.outcome, secrets });
    },
    async open(call, asking) {
      const sealed = sealCall(call);
      const verdict = await start(sealed, asking);
      return verdict.status === "begun" ? toOpen(verdict, sealed) : closed(verdict);
    },
    async decide(call, deciding = {}): Promise<Allowed | Denial> {
      const { wait = false } = deciding;
      const sealed = sealCall(call);
      const verdict = await ask(sealed, { ...deciding, wait }, asks);
      if (isRefusal(verdict)) return verdict;
      const ended = handOvers.keep(sealed, verdict) ?? once((outcome) => endOf(verdict, outcome));
      if (verdict.status === "begun") return { status: "allowed", ended };
      return { status: "allowed", replayed: { result: verdict.result }, ended };
    },
    async refuse(call, reason, explanation): Promise<Denial> {
      const refused = { code: "permission_denied", reason, explanation } as const;
      return (await asks.judge({ ...sealCall(call), refused })) as Denial;
    },
    withdraw: (call) =>
      withdrawCall(wire, sealCall(call), (json) => digestOf(json, rules.digestKey)),
    forget: (runKey) => forget(wire, runKey),
    recognize: (tools) => rules.definitions.recognize(guard, tools),
    coverage: (target) => coverageOf(guard, Object.keys(rules.tools), target),
    wrap: (tool, execute, wrapping) => wrapFunction(guard, execute, { ...wrapping, tool }),
  };
  return Object.freeze(guard) as GuardOf<Inputs>;
}

/** What a seam has decided on this very call, or a decision of its own. */
function starterOf(handOvers: HandOvers, asks: Asks) {
  return (sealed: Sealed, asking?: AskOptions): Verdict | Promise<Verdict> => {
    const decided = handOvers.take(sealed);
    if (decided === undefined) return ask(sealed, asking, asks);
    if (!isAborted(sealed.signal)) return decided;
    // The seam may not have known the run's signal.
    return endOf(decided, "not_run").then(() => ask(sealed, asking, asks));
  };
}

function toOpen({ end }: Begun, { input }: Sealed): Open {
  return {
    status: "open",
    input: input?.value as JsonObject,
    end: once((outcome) => end(outcome)),
  };
}

/** There is no result to give where nothing runs here. */
function closed(verdict: Exclude<Verdict, Begun>): Denial {
  if (isRefusal(verdict)) return verdict;
  const reason = "already_executed";
  const explanation = "the call has ended before";
  return toDenial({ code: reason, reason, explanation, scope: null });
}

function once(end: Open["end"]): Open["end"] {
  let ended = false;
  return async (outcome) => {
    if (ended) return;
    ended = true;
    await end(outcome);
  };
}
