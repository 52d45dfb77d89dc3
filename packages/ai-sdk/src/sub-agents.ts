import { currentCall, deniedError, isGuarded, isOwn, provideCallStorage } from "@agentkeys/core";
import type { CurrentCall } from "@agentkeys/core";
import { registerTelemetry, type Telemetry, type ToolSet } from "ai";

// Not imported: there are platforms without it, where inner agents are not seen.
const hooks = globalThis.process?.getBuiltinModule?.("node:async_hooks");
if (hooks !== undefined) provideCallStorage(new hooks.AsyncLocalStorage());

/** The tools of each run that was started inside of a guarded call, by the SDK's own id of the run. */
const started = new WeakMap<CurrentCall, Map<string, ToolSet | undefined>>();

// The one place that sees the tools of every agent in the process, also of one that is built inside of a tool. It does
// nothing outside of guarded calls; inside of one it refuses what nobody guards, also where it cannot tell.
registerTelemetry({
  onStart(event) {
    const call = currentCall();
    if (call === undefined || !("tools" in event)) return;
    const runs = started.get(call) ?? new Map<string, ToolSet | undefined>();
    started.set(call, runs.set(event.callId, event.tools));
  },
  executeTool(event) {
    const call = currentCall();
    return call === undefined || isGoverned(call, event) ? event.execute() : refuse(call, event);
  },
});

type ToolRun = Parameters<NonNullable<Telemetry["executeTool"]>>[0];

function isGoverned(outer: CurrentCall, { callId, toolCall }: ToolRun): boolean {
  const tools = new Map(Object.entries(started.get(outer)?.get(callId) ?? {}));
  const execute = tools.get(toolCall?.toolName ?? "")?.execute;
  return isGuarded(execute) || isOwn(execute);
}

async function refuse(outer: CurrentCall, { toolCallId, toolCall }: ToolRun): Promise<never> {
  const { toolName: tool = "", input } = toolCall ?? {};
  const call = { tool, input, callId: toolCallId, signal: outer.signal };
  const explanation = `inside of ${outer.tool}, wrap it with guardTools: ${tool}`;
  throw deniedError(await outer.guard.refuse(call, "unguarded_tool", explanation));
}
