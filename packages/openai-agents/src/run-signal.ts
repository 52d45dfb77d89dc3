import { AsyncLocalStorage } from "node:async_hooks";
import { currentCall } from "@agentkeys/core";
import { Runner } from "@openai/agents-core";

const signals = new AsyncLocalStorage<AbortSignal | undefined>();

// The SDK tells a run's signal to tools, and not to what decides about them.
const { run } = Runner.prototype;
Runner.prototype.run = function (this: Runner, ...given: Parameters<typeof run>) {
  return signals.run(given[2]?.signal, () => run.apply(this, given));
} as typeof run;

/** Of the run that this code is part of, or else of the guarded call. */
export function runSignal(): AbortSignal | undefined {
  return signals.getStore() ?? currentCall()?.signal;
}
