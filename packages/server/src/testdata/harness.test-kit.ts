import { decodeEnvelope, opKindName, parseJson, type WireValue } from "@agentkeys/contract";
import { onTestFinished } from "vitest";
import type { Authority, AuthorityOptions } from "../authority.ts";
import { createAuthority } from "../authority.ts";
import type { AuthorityConfig } from "../config/config-schema.ts";
import { recordings } from "./exchanges.test-kit.ts";

export const { actor = "", other = "", operator = "", device = "" } = recordings.vars;
export const otherOperator = `0x${"0d".repeat(32)}`;
/** An actor of the other operator and another vendor. */
export const foreign = `0x${"f0".repeat(32)}`;
export const identity = { actor, operator_omni: operator, device_key_hash: device };

/** Two vendors, two operators, an actor with everything and one with little. */
const config: AuthorityConfig = {
  vendors: { magiclick: { token: "value:demo-tok" }, acme: { token: "value:acme-tok" } },
  operators: {
    [operator]: { token: "value:operator-tok" },
    [otherOperator]: { token: "value:other-operator-tok" },
  },
  actors: {
    [actor]: {
      operator,
      vendor: "magiclick",
      namespaces: ["travel", "profile"],
      services: ["openrouter"],
      scopes: {
        "memory.read": "allow",
        "memory.write": "allow",
        "cred.read": "allow",
        "cred.write": "allow",
        "web.search": "allow",
        "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
      },
    },
    [other]: { operator, namespaces: ["travel"], scopes: {} },
    [foreign]: { operator: otherOperator, vendor: "acme", scopes: { "web.search": "allow" } },
  },
};

export interface RpcAnswer {
  status: number;
  result?: WireMap;
  error?: { code: number; message: string; data?: unknown };
  id?: WireValue;
}
export type WireMap = { [key: string]: WireValue };

export interface Caller {
  token?: string;
  /** The actor header. */
  as?: string;
  idempotencyKey?: string;
}

export interface Harness {
  readonly authority: Authority;
  rpc(method: string, params?: unknown, caller?: Caller): Promise<RpcAnswer>;
  /** `tools/call` with the demo actor's identity unless `args` says otherwise. */
  call(tool: string, args?: Record<string, unknown>, caller?: Caller): Promise<RpcAnswer>;
  /** The same, giving the structured result; fails on an error. */
  ok(tool: string, args?: Record<string, unknown>, caller?: Caller): Promise<WireMap>;
  /** A plain route. */
  http(method: string, path: string, init?: HttpInit): Promise<{ status: number; text: string; response: Response }>;
  /** Every record so far, decoded. */
  records(): Promise<Recorded[]>;
}

export interface HttpInit {
  token?: string;
  as?: string;
  json?: unknown;
  body?: string;
  headers?: Record<string, string>;
}

export interface Recorded {
  op: string;
  result: number;
  body: WireMap;
  actor: string;
  operator: string;
  hash: string;
}

/** An authority in memory, in process, with the configuration above; closed when the test ends. */
export async function open(options: Partial<AuthorityOptions> & { bare?: boolean } = {}): Promise<Harness> {
  const { bare, ...given } = options;
  const env = {
    MCP_VENDOR_TOKENS: "magiclick:demo-tok,acme:acme-tok",
    MCP_DEFAULT_OPERATOR_OMNI: operator,
    AGENTKEYS_OPERATOR_TOKEN: "operator-tok",
  };
  const configured = bare === true ? {} : { config };
  const authority = await createAuthority({ data: ":memory:", env, ...configured, ...given });
  onTestFinished(() => authority.close());
  return harness(authority);
}

function harness(authority: Authority): Harness {
  const http: Harness["http"] = async (method, path, init = {}) => {
    const { token, as, json, body = json === undefined ? undefined : JSON.stringify(json) } = init;
    const headers = {
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(as === undefined ? {} : { "x-agentkeys-actor": as }),
      ...init.headers,
    };
    const response = await authority.fetch(path, { method, headers, ...(body === undefined ? {} : { body }) });
    const stream = response.headers.get("content-type") === "text/event-stream";
    return { status: response.status, text: stream ? "" : await response.text(), response };
  };
  const rpc: Harness["rpc"] = async (method, params, caller = {}) => {
    const { token = "demo-tok", as = actor, idempotencyKey } = caller;
    const json = { jsonrpc: "2.0", id: 1, method, params };
    const headers = idempotencyKey === undefined ? {} : { "idempotency-key": idempotencyKey };
    const { status, text } = await http("POST", "/mcp", { token, as, json, headers });
    return Object.assign({ status }, parseJson(text)) as RpcAnswer;
  };
  const call: Harness["call"] = (tool, args, caller) =>
    rpc("tools/call", { name: `agentkeys.${tool}`, arguments: { ...identity, ...args } }, caller);
  return {
    authority,
    http,
    rpc,
    call,
    async ok(tool, args, caller) {
      const { result, error } = await call(tool, args, caller);
      if (result === undefined) throw new Error(`${tool}: ${error?.message}`);
      return result["structuredContent"] as WireMap;
    },
    async records() {
      const entries = await authority.records();
      return entries.map(({ bytes, envelope_hash }) => {
        const { op_kind, result, op_body, actor_omni, operator_omni } = decodeEnvelope(bytes);
        const op = opKindName(op_kind);
        return { op, result, body: op_body as WireMap, actor: actor_omni, operator: operator_omni, hash: envelope_hash };
      });
    },
  };
}
