import type { Denial, Guard } from "@agentkeys/core";
import type { FunctionTool, RunContext } from "@openai/agents-core";
import { prepareFunctionToolInput } from "@openai/agents-core/utils/internal";
import { interruptOuter, mayInterrupt } from "./interruptions.ts";
import { runSignal } from "./run-signal.ts";
import { type AnyFunctionTool, runKeyOf } from "./sdk-tool.ts";

/** What `needsApproval`, which can only say whether to ask, leaves for the execution that follows at once. */
const denials = new WeakMap<RunContext, Map<string, Denial>>();

/**
 * Decides before the SDK runs the call, because only here it can be interrupted. What the guard allows is still up to the tool's
 * own `needsApproval`.
 */
export function decidingApproval(
  guard: Guard,
  tool: AnyFunctionTool,
): FunctionTool["needsApproval"] {
  return async (context, raw, callId) => {
    const read = prepareFunctionToolInput(tool, JSON.stringify(raw))?.result;
    // The SDK answers what does not parse.
    if (read?.success !== true) return false;
    const interrupts = mayInterrupt();
    const runKey = runKeyOf(context);
    const call = { tool: tool.name, input: read.value, callId, runKey, signal: runSignal() };
    const verdict = await guard.decide(call, { wait: !interrupts });
    let asks = interrupts && verdict.status === "asked" && verdict.approval !== undefined;
    if (verdict.status === "allowed") {
      asks = await tool.needsApproval(context, read.value as never, callId);
      if (asks || !callId) await verdict.ended("not_run");
    } else if (!asks) {
      const waiting = denials.get(context) ?? new Map<string, Denial>();
      denials.set(context, waiting.set(keyOf(raw, callId), verdict));
    }
    if (asks) interruptOuter();
    return asks;
  };
}

/** The denial of this very call, once. */
export function takeDenial(context: RunContext, key: string): Denial | undefined {
  const denial = denials.get(context)?.get(key);
  denials.get(context)?.delete(key);
  return denial;
}

/** Models use call ids again. */
export function keyOf(raw: unknown, callId = ""): string {
  return `${callId} ${JSON.stringify(raw)}`;
}
