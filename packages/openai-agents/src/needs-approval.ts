import type { Denial, Guard } from "@agentkeys/core";
import type { RunContext } from "@openai/agents-core";
import { runSignal } from "./runner.ts";
import { runKeyOf } from "./sdk-tool.ts";
import { mayInterrupt, noteInterruption } from "./watched-call.ts";
import { withdrawals } from "./withdrawals.ts";

/** A tool as far as it is decided on. */
export interface Decidable {
  readonly name: string;
  /** The input as the tool would run it; undefined where the SDK refuses it. */
  read(raw: unknown): { readonly value: unknown } | undefined;
  /** The tool's own. */
  needsApproval(context: RunContext, value: unknown, callId?: string): Promise<boolean>;
}

export type NeedsApproval = (
  context: RunContext,
  raw: unknown,
  callId?: string,
) => Promise<boolean>;

/** What `needsApproval`, which can only say whether to ask, leaves for the execution that follows at once: a denial, or none. */
const left = new WeakMap<RunContext, Map<string, Denial | undefined>>();

/**
 * Decides before the SDK runs the call, because only here it can be interrupted. What the guard allows is still up to the tool's
 * own `needsApproval`.
 */
export function decidingApproval(guard: Guard, tool: Decidable): NeedsApproval {
  const callOf = (context: RunContext, raw: unknown, callId: string | undefined) => {
    const read = tool.read(raw);
    return read && { tool: tool.name, input: read.value, callId, runKey: runKeyOf(context) };
  };
  const asking: NeedsApproval = async (context, raw, callId) => {
    const call = callOf(context, raw, callId);
    // The SDK answers what does not parse.
    if (call === undefined) return false;
    const interrupts = mayInterrupt();
    const verdict = await guard.decide({ ...call, signal: runSignal() }, { wait: !interrupts });
    const { status } = verdict;
    let asks = interrupts && status === "asked" && verdict.approval !== undefined;
    if (status === "allowed") {
      asks = await tool.needsApproval(context, call.input, callId);
      if (asks || !callId) await verdict.ended("not_run");
    }
    if (asks) {
      noteInterruption();
      return true;
    }
    const calls = left.get(context) ?? new Map<string, Denial | undefined>();
    left.set(context, calls.set(keyOf(raw, callId), status === "allowed" ? undefined : verdict));
    return false;
  };
  withdrawals.set(asking, async (context, raw, callId) => {
    const call = callOf(context, raw, callId);
    if (call !== undefined) await guard.withdraw(call);
  });
  return asking;
}

/**
 * The denial of this very call, once. `resumed`: nobody was asked about it in this run, because the client's yes was there; it
 * proves nothing, and there is no asking once more.
 */
export function takeLeft(context: RunContext | undefined, raw: unknown, callId?: string) {
  if (context === undefined || callId === undefined) return { resumed: false };
  const calls = left.get(context);
  const key = keyOf(raw, callId);
  const denial = calls?.get(key);
  return { denial, resumed: calls?.delete(key) !== true };
}

/** Models use call ids again. */
function keyOf(raw: unknown, callId = ""): string {
  return `${callId} ${JSON.stringify(raw)}`;
}
