import type { ErrorCode } from "@agentkeys/contract";
import type { Client } from "./client-surface.ts";

export type JsonObject = { [key: string]: unknown };

/** How one of the user's tools is governed. A tool without a row (and without a class) is denied. */
export interface GuardRow<I = JsonObject> {
  /** Permission scope asked for, for example `payment.spend`. */
  scope: string;
  /** Facts for the policy, from the guard's copy of the input. Default: `{}`. A throw denies. */
  params?: (input: I) => JsonObject;
  /** Input fields written in clear into the record. Default: none, the input is a digest. */
  record?: readonly (keyof I & string)[];
  /** What a person reads before deciding. Default: tool, scope, params and `record` fields. */
  describe?: (input: I) => string;
  /** Safe to run again after an unknown outcome. Default: false. */
  idempotent?: boolean;
}

/** Rows by naming scheme; exact rows win, undefined = not mapped. A throw denies. */
export type Classify = (call: { tool: string; input: JsonObject }) => GuardRow | undefined;

export interface GuardOptions<Inputs extends object = Record<string, JsonObject>> {
  /** Decides and records. */
  client: Client;
  /** One row per tool, by the name that the model sees. */
  tools: { [K in keyof NoInfer<Inputs>]: GuardRow<NoInfer<Inputs>[K]> };
  classify?: Classify | undefined;
  /** At least 16 bytes. Inputs are digested with HMAC-SHA-256 under this key instead of a plain keccak256. */
  digestKey?: Uint8Array | undefined;
}

export interface GuardCall {
  tool: string;
  /** Copied before anything looks at it. Must be plain data (`input_not_copyable` otherwise). */
  input: unknown;
  /** The framework's id of the call; without one nothing is handed over from a seam. */
  callId?: string | undefined;
  runKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

export type Outcome = "ok" | "error" | "aborted" | "not_run" | "suspended";

/** A refusal. `message` is what the model reads: `Denied by AgentKeys: <reason> (<explanation>)`. */
export interface Denial {
  status: "denied" | "asked";
  code: ErrorCode;
  reason: string;
  explanation: string;
  /** The permission scope that was asked for; null where the tool has none or none is known. */
  scope: string | null;
  message: string;
}

export type Ran<T> = { status: "ran"; result: T };

/** A decision taken at a framework's seam; the tool object of the same name, call id and input uses it up. */
export interface Allowed {
  status: "allowed";
  /** Records the outcome seen at the seam; does nothing when the tool object took the decision over. */
  ended(outcome: Outcome): Promise<void>;
}

/** A call that may run now: the intent is durable. `end` must be called once, however the call ends; it never throws. */
export interface Open {
  status: "open";
  /** The guard's private copy: what was decided on is what must run. */
  input: JsonObject;
  end(outcome: Outcome): Promise<void>;
}

export interface Guard {
  readonly client: Client;
  /** Decides, records, runs `execute` with the guard's copy, records. Rejects only with what `execute` threw. */
  run<T>(
    call: GuardCall,
    execute: (input: JsonObject, context: { signal?: AbortSignal }) => T | PromiseLike<T>,
  ): Promise<Ran<T> | Denial>;
  /** For a seam that cannot run the tool itself. */
  decide(call: GuardCall): Promise<Allowed | Denial>;
  /** For streams and generators, held open to their end. Uses up a matching decision of a seam. */
  open(call: GuardCall): Promise<Open | Denial>;
  /** Records a refusal that a seam makes by itself (an unguarded tool, say), and gives its denial. Never rejects. */
  refuse(call: GuardCall, reason: string, explanation: string): Promise<Denial>;
  /**
   * The function under guard; its first argument is the input, the others pass as they are. Where it would be denied it rejects
   * with `permission_denied` (or `approval_required`), whose data holds reason, explanation and scope.
   */
  wrap<A extends unknown[], R>(
    tool: string,
    execute: (...args: A) => R,
    options?: WrapOptions<A>,
  ): Guarded<A, R>;
}

/** For functions that a framework calls with its own arguments after the input. */
export interface WrapOptions<A extends readonly unknown[]> {
  /** Finds the call's id, run and signal in the arguments. Default: none of them. */
  call?: (...args: A) => Pick<GuardCall, "callId" | "runKey" | "signal">;
  /** Outcome of a call that returned. Default: `ok`. Not asked about a generator, which is `ok` at its end. */
  outcome?: (result: unknown) => Outcome;
}

/** A guarded function: async generators stay async generators, everything else becomes a promise. */
export type Guarded<A extends readonly unknown[], R> =
  R extends AsyncGenerator<infer Y, infer T, infer N>
    ? (...args: A) => AsyncGenerator<Y, T, N>
    : (...args: A) => Promise<Awaited<R>>;

export interface OwnToolsOptions {
  /** Keys to offer (`memory_get`, …). Default: every model tool of the source. */
  only?: readonly string[];
  /** Put before each key. Default: `agentkeys_`. */
  prefix?: string;
}
