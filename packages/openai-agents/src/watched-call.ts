import { AsyncLocalStorage } from "node:async_hooks";
import { currentCall, provideCallStorage } from "@agentkeys/core";
import type { CurrentCall } from "@agentkeys/core";

provideCallStorage(new AsyncLocalStorage());

/** What the SDK tells nobody about a guarded call that is running. */
export interface Watched {
  /** The call runs an agent offered as a tool, whose interruptions the SDK passes to the outer run. */
  readonly agent: boolean;
  /** That agent waits for a person. */
  interrupted: boolean;
  /** The call failed, whatever the text that was made of it. */
  failed: boolean;
}

const watched = new WeakMap<CurrentCall, Watched>();

/** Has the current call's notes taken in `notes`. */
export function watchCall(notes: Watched): void {
  const call = currentCall();
  if (call !== undefined) watched.set(call, notes);
}

/** Whether anybody would see an interruption: inside of a guarded call, only where that call runs an agent offered as a tool. */
export function mayInterrupt(): boolean {
  const call = currentCall();
  return call === undefined || watched.get(call)?.agent === true;
}

/** What is interrupted inside of a call has interrupted that call. */
export function noteInterruption(): void {
  const notes = notesOfCurrentCall();
  if (notes?.agent) notes.interrupted = true;
}

export function noteFailure(): void {
  const notes = notesOfCurrentCall();
  if (notes) notes.failed = true;
}

function notesOfCurrentCall(): Watched | undefined {
  const call = currentCall();
  return call && watched.get(call);
}
