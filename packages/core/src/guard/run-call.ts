import type { Secrets } from "@agentkeys/contract";
import { type CurrentCall, inCall } from "./current-call.ts";
import { type Begun, isAborted } from "./decision.ts";
import type {
  Guard,
  JsonObject,
  Outcome,
  Ran,
  RunContext,
  RunOptions,
  Settled,
} from "./guard-surface.ts";
import type { Sealed } from "./seal-call.ts";
import { holdOpen, isAsyncGenerator } from "./held-generator.ts";

export interface Execution<T> {
  readonly guard: Guard;
  readonly sealed: Sealed;
  readonly execute: (input: JsonObject, context: RunContext) => T | PromiseLike<T>;
  readonly outcome: RunOptions["outcome"] | undefined;
  /** Taken out of what it gives and throws: that is for a model to read. */
  readonly secrets: Secrets;
}

/** Runs what has begun, and records how it ended before anybody hears of it. Rejects with what `execute` threw. */
export async function runCall<T>(begun: Begun, execution: Execution<T>): Promise<Ran<T>> {
  const { guard, sealed, execute, secrets } = execution;
  const { tool, callId, runKey, signal } = sealed;
  const call: CurrentCall = { guard, tool, callId, runKey, signal };
  const input = sealed.input?.value as JsonObject;
  const context: RunContext = {};
  if (signal !== undefined) context.signal = signal;
  if (begun.approval !== undefined) context.approval = begun.approval;
  let result;
  try {
    result = await inCall(call, () => execute(input, context));
  } catch (error) {
    const outcome = outcomeOf({ error }, execution);
    await begun.end(outcome);
    throw outcome === "suspended" ? error : secrets.scrubError(error);
  }
  if (isAsyncGenerator(result)) {
    const settle = async (end: Settled | "unread"): Promise<Outcome> => {
      const outcome = end === "unread" ? "aborted" : outcomeOf(end, execution);
      await begun.end(outcome);
      return outcome;
    };
    const within = <R>(step: () => R): R => inCall(call, step);
    return { status: "ran", result: holdOpen(result, { settle, within, secrets }) as T };
  }
  try {
    result = secrets.scrub(result);
  } catch (error) {
    // Nobody knows what is in it, so nobody gets it; that it ran is recorded all the same.
    await begun.end(outcomeOf({ error }, execution));
    throw secrets.scrubError(error);
  }
  const settled = { result };
  const outcome = outcomeOf(settled, execution);
  await begun.end(outcome, outcome === "ok" || outcome === "error" ? settled : undefined);
  return { status: "ran", result };
}

function outcomeOf<T>(settled: Settled, { outcome, sealed }: Execution<T>): Outcome {
  const plain = "result" in settled ? "ok" : isAborted(sealed.signal) ? "aborted" : "error";
  try {
    return outcome?.(settled) ?? plain;
  } catch {
    // The execution is over; only its record is in doubt.
    return "result" in settled ? "error" : plain;
  }
}
