import { AsyncLocalStorage } from "node:async_hooks";
import { currentCall } from "@agentkeys/core";
import { type RunContext, Runner, RunState } from "@openai/agents-core";
import { withdrawRefused } from "./withdrawals.ts";

const signals = new AsyncLocalStorage<AbortSignal | undefined>();

/** The call that an action of a shell or an editor belongs to. */
export interface Started {
  readonly context: RunContext;
  readonly callId: string;
}

/** By the object itself: such a tool is given its action and nothing of the call. */
const started = new WeakMap<object, Started>();
const heard = new WeakSet<Runner>();

// The one door of every run. The SDK tells a run's signal to tools, and not to what decides about them; it tells nobody that
// the client refused a call.
const { run } = Runner.prototype;
Runner.prototype.run = function (this: Runner, ...given: Parameters<typeof run>) {
  const [, input, options] = given;
  hearStarts(this);
  return signals.run(options?.signal, async () => {
    if (input instanceof RunState) await withdrawRefused(input);
    return run.apply(this, given);
  });
} as typeof run;

function hearStarts(runner: Runner): void {
  if (heard.has(runner)) return;
  heard.add(runner);
  runner.on("agent_tool_start", (...[context, , , { toolCall }]) => {
    if (toolCall.type === "shell_call") {
      started.set(toolCall.action, { context, callId: toolCall.callId });
    } else if (toolCall.type === "apply_patch_call") {
      started.set(toolCall.operation, { context, callId: toolCall.callId });
    }
  });
}

/** undefined: no run has started it, or it is no such action. */
export function startedCall(action: unknown): Started | undefined {
  return started.get(Object(action) as object);
}

/** Of the run that this code is part of, or else of the guarded call. */
export function runSignal(): AbortSignal | undefined {
  return signals.getStore() ?? currentCall()?.signal;
}
