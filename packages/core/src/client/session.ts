import { AgentKeysError } from "@agentkeys/contract";
import type { CallOptions, Session, SessionOptions } from "./client-surface.ts";
import { eitherOf, type Limits } from "../transport/deadline.ts";
import type { JsonObject } from "../guard/guard-surface.ts";
import { type CapOp, LiveCaps } from "./live-caps.ts";
import { createOperations } from "./operations.ts";
import type { Wire } from "../transport/wire.ts";

const capOps: readonly string[] = [
  "memory_get",
  "memory_put",
  "cred_fetch",
  "cred_store",
] satisfies CapOp[];

/**
 * Capabilities are presented to a server of ours only, which verifies them; any other mints its own for every operation, and
 * there these are bookkeeping.
 */
export function createSession(wire: Wire, { ttl = 300, signal }: SessionOptions): Session {
  if (!(ttl > 0)) {
    throw new AgentKeysError("config_invalid", "ttl: must be a number of seconds greater than 0");
  }
  const caps = new LiveCaps(wire, { ttl, signal });
  let closed = false;

  const use = async (op: CapOp, input: JsonObject, options: CallOptions): Promise<unknown> => {
    if (closed) throw new AgentKeysError("invalid_request", "the session is closed");
    const limits = wire.limits({ ...options, signal: eitherOf(signal, options.signal) });
    const send = (cap?: unknown): Promise<unknown> =>
      wire.call(op, cap === undefined ? input : { ...input, cap }, { ...options, limits });
    if (input["cap"] !== undefined) return send();
    const service = serviceOf(op, input);
    const presented = await wire.isOurs(limits);
    const cap = await take(caps, { op, service, limits });
    if (!presented) return send();
    try {
      return await send(cap);
    } catch (error) {
      if (!AgentKeysError.is(error, "cap_expired")) throw error;
      caps.drop(op, service, cap);
      return send(await take(caps, { op, service, limits }));
    }
  };

  const { memory, cred } = createOperations((key, input, options) =>
    capOps.includes(key)
      ? use(key as CapOp, input, options)
      : wire.call(key, input, { ...options, limits: wire.limits(options) }),
  );
  const close = async (): Promise<void> => {
    closed = true;
    await caps.revokeAll();
  };
  return Object.freeze({ memory, cred, close, [Symbol.asyncDispose]: close });
}

/** A credential is worth a capability of its own every time. */
function take(
  caps: LiveCaps,
  { op, service, limits }: { op: CapOp; service: string; limits: Limits },
): ReturnType<LiveCaps["get"]> {
  const perCall = op === "cred_fetch" || op === "cred_store";
  return perCall ? caps.mint(op, service, limits) : caps.get(op, service, limits);
}

/** A note's namespace is part of the service that is signed. */
function serviceOf(op: CapOp, input: JsonObject): string {
  const { service, namespace } = input as { service?: string; namespace?: string };
  return op === "cred_fetch" || op === "cred_store" ? `${service}` : `memory:${namespace}`;
}
