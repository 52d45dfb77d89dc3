import { AsyncLocalStorage } from "node:async_hooks";
import { currentCall, provideCallStorage } from "@agentkeys/core";
import type { CurrentCall } from "@agentkeys/core";

provideCallStorage(new AsyncLocalStorage());

/** Guarded calls of agents offered as tools, whose interruptions the SDK passes to the outer run. */
const innerRuns = new WeakMap<CurrentCall, { interrupted: boolean }>();

/** Notes that an agent runs in the current guarded call; `interrupted` is set when it waits for a person. */
export function startInnerRun(run: { interrupted: boolean }): void {
  const call = currentCall();
  if (call !== undefined) innerRuns.set(call, run);
}

/** Whether anybody would see an interruption: inside of any other guarded call nobody does. */
export function mayInterrupt(): boolean {
  const call = currentCall();
  return call === undefined || innerRuns.has(call);
}

/** What is interrupted inside of a call has interrupted that call. */
export function interruptOuter(): void {
  const run = innerRuns.get(currentCall() as CurrentCall);
  if (run !== undefined) run.interrupted = true;
}
