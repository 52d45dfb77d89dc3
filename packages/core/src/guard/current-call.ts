import type { Guard } from "./guard-surface.ts";

/** The guarded call that is running. */
export interface CurrentCall {
  readonly guard: Guard;
  readonly tool: string;
  readonly callId: string | undefined;
  readonly runKey: string | undefined;
  readonly signal: AbortSignal | undefined;
}

/** The two methods of Node's `AsyncLocalStorage` that are needed. */
export interface CallStorage {
  run<R>(call: CurrentCall, body: () => R): R;
  getStore(): CurrentCall | undefined;
}

// Registered, so that every copy of this package sees the same call.
const storageKey: unique symbol = Symbol.for("agentkeys.call-storage");
const shared = globalThis as { [storageKey]?: CallStorage };

/** Lets guarded calls be known from inside, where the platform can; the first storage stays. For framework packages. */
export function provideCallStorage(storage: CallStorage): void {
  shared[storageKey] ??= storage;
}

/** The guarded call that this code runs in; undefined outside of any, and where nobody provided a storage. */
export function currentCall(): CurrentCall | undefined {
  return shared[storageKey]?.getStore();
}

/** Runs `body` inside the call. */
export function inCall<R>(call: CurrentCall, body: () => R): R {
  const storage = shared[storageKey];
  return storage === undefined ? body() : storage.run(call, body);
}
