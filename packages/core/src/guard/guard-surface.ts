import type { Approval, ErrorCode } from "@agentkeys/contract";
import type { Client } from "../client/client-surface.ts";
import type { Coverage } from "../coverage/coverage-surface.ts";

export type JsonObject = { [key: string]: unknown };

/** How one of the user's tools is governed. A tool without a row (and without a class) is denied. */
export interface GuardRow<I = JsonObject> {
  /** Permission scope asked for, for example `payment.spend`. */
  scope: string;
  /** Facts for the policy, from the guard's copy of the input. Default: `{}`. A throw denies. */
  params?: (input: I) => JsonObject;
  /** Input fields written in clear into the record. Default: none, the input is a digest. */
  record?: readonly (keyof I & string)[];
  /** What a person reads before deciding, cut at 4,000 characters. Default: tool, scope, params and `record` fields. A throw denies. */
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
  /**
   * Fingerprints of the definitions that were accepted, by tool name, for tools that others define (an MCP server). A tool that
   * is named here or was given to `recognize` runs only with the definition that stands here. Default: none.
   */
  definitions?: Readonly<Record<string, string>> | undefined;
  /** At least 16 bytes. Inputs are digested with HMAC-SHA-256 under this key instead of a plain keccak256. */
  digestKey?: Uint8Array | undefined;
  /**
   * `ask`: a person decides on a tool without a row, and on a verdict word that this guard does not know from an authority that
   * answered. Everything else that goes wrong is a denial all the same. Default: `deny`.
   */
  onUncertain?: "deny" | "ask" | undefined;
  approval?: ApprovalOptions | undefined;
}

export interface ApprovalOptions {
  /** Where a run cannot be suspended, milliseconds to wait for a decision before the ask is withdrawn. Default: no wait, an ask is a denial. */
  waitMs?: number | undefined;
  /** Shows the input itself to the person; the authority keeps it, encrypted, until the decision. Default: false. */
  showInput?: boolean | undefined;
}

export interface GuardCall {
  tool: string;
  /** Copied before anything looks at it. Must be plain data (`input_not_copyable` otherwise). */
  input: unknown;
  /** The framework's id of the call; without one nothing is handed over from a seam. */
  callId?: string | undefined;
  /** The framework's run, the same when it is resumed. A call is met again by run, tool, id and input; without a run each is new. */
  runKey?: string | undefined;
  signal?: AbortSignal | undefined;
}

/** What a tool says of itself, and whether that was accepted. */
export interface Definition {
  /** As the model sees it. */
  name: string;
  /** Of name, description and input schema: what `toolFingerprint` gives. */
  fingerprint: string;
  /** Whether it stands in the guard's `definitions`; if not, calls are refused as `tool_changed`. */
  accepted: boolean;
}

export type Outcome = "ok" | "error" | "aborted" | "not_run" | "suspended";

/** How an execution ended. */
export type Settled = { result: unknown } | { error: unknown };

/** What a suspended run tells whoever shows it. `expires_at` in unix seconds. */
export type ApprovalRef = Pick<Approval, "id" | "digest" | "text" | "call_id" | "expires_at">;

/** A refusal. `message` is what the model reads: `Denied by AgentKeys: <reason> (<explanation>)`. */
export interface Denial {
  status: "denied" | "asked";
  code: ErrorCode;
  reason: string;
  explanation: string;
  /** The permission scope that was asked for; null where the tool has none or none is known. */
  scope: string | null;
  message: string;
  /** What a person was asked. With status `asked`, where the authority knows approvals and was allowed to ask. */
  approval?: ApprovalRef;
}

/** `replayed`: this very call has ended before; nothing ran, and the result is the stored one. */
export type Ran<T> = { status: "ran"; result: T; replayed?: true };

/** A decision taken at a framework's seam; the tool object of the same name, call id and input uses it up. */
export interface Allowed {
  status: "allowed";
  /** The call has ended before. The tool object gives this result without running; a seam over any other must give it itself. */
  replayed?: { result: unknown };
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

/** What happens where the policy asks a person. */
export interface AskOptions {
  /** What the calls of one step have in common. Where they are decided one after another, a silent authority denies the rest at once. */
  step?: object | undefined;
  /** False: the ask is only told; nothing is created at the authority. Default: true. */
  mayAsk?: boolean;
  /** False: never waits, whatever the guard's `approval.waitMs`. Default: true, but false for `decide`. */
  wait?: boolean;
  /** The run was resumed for this call: an ask that nobody has decided is withdrawn and denied as `approval_pending`. Default: false. */
  resumed?: boolean;
  /**
   * Suspends the run: throws the framework's own signal, which passes as it is, or resolves when the run has been resumed, and
   * then the authority is asked again. Goes before waiting.
   */
  suspend?(approval: ApprovalRef): unknown;
}

export interface RunOptions extends AskOptions {
  /** What an ending counts as; undefined = the default: `ok`, or `error` (`aborted` once the signal is). Must not throw. */
  outcome?(settled: Settled): Outcome | undefined;
}

export type DecideOptions = AskOptions;

/** What an execution is told. */
export interface RunContext {
  signal?: AbortSignal;
  /** Id of the approval that let this call run, also when it goes on after having suspended itself. */
  approval?: string;
}

export interface Guard {
  readonly client: Client;
  /**
   * Decides, records, runs `execute` with the guard's copy, records. Rejects only with what `execute` or `suspend` threw. A result
   * that is an async generator is held open to its end.
   */
  run<T>(
    call: GuardCall,
    execute: (input: JsonObject, context: RunContext) => T | PromiseLike<T>,
    options?: RunOptions,
  ): Promise<Ran<T> | Denial>;
  /** For a seam that cannot run the tool itself. Waits for nobody unless told to. */
  decide(call: GuardCall, options?: DecideOptions): Promise<Allowed | Denial>;
  /** For what `run` cannot hold. Uses up a matching decision of a seam; a call that has ended before is denied. */
  open(call: GuardCall, options?: AskOptions): Promise<Open | Denial>;
  /** Records a refusal that a seam makes by itself (an unguarded tool, say), and gives its denial. Never rejects. */
  refuse(call: GuardCall, reason: string, explanation: string): Promise<Denial>;
  /** Takes back whatever is still being asked about this very call, after a client's rejection say. Never rejects. */
  withdraw(call: GuardCall): Promise<void>;
  /** Drops the results that the authority keeps for a run that is over; its calls stay known. Never rejects. */
  forget(runKey: string): Promise<void>;
  /**
   * Reads what these tools say of themselves, guarded ones or not: a list or map as a framework's MCP client gives it. From now on
   * each runs only while that is what `definitions` has for its name. Call it again whenever the server has listed its tools anew.
   * Rejects with `config_invalid` for a tool without a JSON Schema, which is then refused as well.
   */
  recognize(tools: unknown): Promise<Definition[]>;
  /** What an agent, its configuration or its tools can reach, and which rows govern nothing. */
  coverage(target: unknown): Promise<Coverage>;
  /**
   * The function under guard; its first argument is the input, the others pass as they are. Where it would be denied it rejects
   * with `permission_denied` (or `approval_required`, …), whose data holds reason, explanation, scope and approval.
   */
  wrap<A extends unknown[], R>(
    tool: string,
    execute: (...args: A) => R,
    options?: WrapOptions<A>,
  ): Guarded<A, R>;
}

/** A guard whose inputs were named by their types: `wrap` knows what the function of each of these tools is given. */
export interface TypedGuard<Inputs extends object> extends Guard {
  wrap<K extends keyof Inputs & string, Rest extends unknown[], R>(
    tool: K,
    execute: (input: Inputs[K], ...rest: Rest) => R,
    options?: WrapOptions<[Inputs[K], ...Rest]>,
  ): Guarded<[input: Inputs[K], ...rest: Rest], R>;
  /** Any other tool, one that `classify` maps say. */
  wrap<T extends string, A extends unknown[], R>(
    tool: T extends keyof Inputs ? never : T,
    execute: (...args: A) => R,
    options?: WrapOptions<A>,
  ): Guarded<A, R>;
}

/** What `createGuard<Inputs>` gives; without type arguments a plain guard. */
export type GuardOf<Inputs extends object> = string extends keyof Inputs
  ? Guard
  : TypedGuard<Inputs>;

/** For functions that a framework calls with its own arguments after the input. */
export interface WrapOptions<A extends readonly unknown[]> extends Pick<RunOptions, "outcome"> {
  /** Finds the call's id, run and signal in the arguments. Default: none of them. */
  call?: (...args: A) => Pick<GuardCall, "callId" | "runKey" | "signal">;
  /** Reads the async iterable that a plain function returns; its last value is the result. Default: false, it passes. */
  drain?: boolean;
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
