import { create, type MessageInitShape, type MessageShape } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import { MACPRuntimeService } from "../generated/macp/v1/core_pb.ts";
import type { Ack } from "../generated/macp/v1/envelope_pb.ts";
import type { Auth } from "../protocol/auth.ts";
import { refusalError } from "../protocol/refusal.ts";
import type { Log } from "./log.ts";
import { type Backoff, delayMs, isRetryable, pause } from "./retry.ts";
import type { CallOptions, Transport } from "./transport.ts";

type Methods = (typeof MACPRuntimeService)["method"];

/** The methods that take one message and answer one. */
export type UnaryName = {
  [K in keyof Methods]: Methods[K]["methodKind"] extends "unary" ? K : never;
}[keyof Methods];

type Init<K extends UnaryName> = MessageInitShape<Methods[K]["input"]>;
type Answer<K extends UnaryName> = MessageShape<Methods[K]["output"]>;

/** Repeating one of these, when its answer was lost, does no harm: a session takes a message id once. */
const repeatable: ReadonlySet<UnaryName> = new Set<UnaryName>([
  "initialize",
  "send",
  "getSession",
  "cancelSession",
  "getManifest",
  "listModes",
  "listExtModes",
  "listRoots",
  "listSessions",
  "getPolicy",
  "listPolicies",
]);

export interface Reading<A, R> {
  readonly options?: CallOptions | undefined;
  /** Takes the answer apart; what it throws counts as the call's failure. */
  readonly read: (answer: A) => R;
  /** Never repeat it when its answer was lost. Default: what the method allows. */
  readonly once?: boolean;
}

/** What every unary call goes through: credential, deadline over all tries, retries, log. */
export type Calls = <K extends UnaryName, R>(
  name: K,
  request: Init<K>,
  reading: Reading<Answer<K>, R>,
) => Promise<R>;

export interface CallsOptions {
  readonly transport: Transport;
  readonly auth: Auth | undefined;
  /** Milliseconds for a call with all its tries. */
  readonly timeoutMs: number;
  readonly backoff: Backoff;
  readonly log: Log;
}

export function createCalls({ transport, auth, timeoutMs, backoff, log }: CallsOptions): Calls {
  return async (name, request, { options = {}, read, once = !repeatable.has(name) }) => {
    const unary = transport.calls[name] as unknown as (
      message: unknown,
      call: CallOptions,
    ) => Promise<Answer<typeof name>>;
    const message = create(MACPRuntimeService.method[name].input, request as never);
    const deadline = Date.now() + (options.timeoutMs ?? timeoutMs);
    for (let attempt = 0; ; attempt++) {
      const call = {
        auth: options.auth ?? auth,
        signal: options.signal,
        timeoutMs: Math.max(1, deadline - Date.now()),
      };
      try {
        return read(await unary(message, call));
      } catch (error) {
        const wait = delayMs(backoff, attempt);
        const late = Date.now() + wait >= deadline;
        if (attempt >= backoff.retries || late || !isRetryable(error, { idempotent: !once }))
          throw error;
        const { code } = AgentKeysError.from(error);
        log({ level: "warn", message: "retry", fields: { name, code, attempt: attempt + 1 } });
        await pause(wait, options.signal);
      }
    }
  };
}

/** The positive Ack of an answer, else its refusal as an error. */
export function accepted(ack: Ack | undefined): Ack {
  if (ack === undefined) throw malformed("an answer without an ack");
  if (ack.ok) return ack;
  if (ack.error === undefined) throw malformed("a refusal without an error");
  throw refusalError(ack.error, ack);
}

/** A part that every well-formed answer has. */
export function present<T>(part: T | undefined, what: string): T {
  if (part === undefined) throw malformed(`an answer without ${what}`);
  return part;
}

const malformed = (message: string): AgentKeysError =>
  new AgentKeysError("authority_unavailable", `runtime: ${message}`);
