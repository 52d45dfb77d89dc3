/// <reference lib="esnext.disposable" preserve="true" />
import type { ClientApprovals } from "../approvals/approval-surface.ts";
import type { ToolInput, ToolKey, ToolOutput, Tools, ToolSource } from "@agentkeys/contract";

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** The `/mcp` URL. Default: `AGENTKEYS_MCP_URL`, else `http://localhost:8088/mcp`. */
  url?: string | undefined;
  /** Used in place of a connection: an embedded authority's `fetch`, or the platform's on the edge. Default: an undici pool. */
  fetch?: Fetch | undefined;
  /** Vendor bearer. Default: `AGENTKEYS_MCP_VENDOR_TOKEN`. */
  token?: string | undefined;
  /** Actor omni, `0x` + 64 hex. Default: `AGENTKEYS_ACTOR_OMNI`. */
  actor?: string | undefined;
  /** Operator omni. Default: `AGENTKEYS_OPERATOR_OMNI`. */
  operator?: string | undefined;
  /** Default: `AGENTKEYS_DEVICE_KEY_HASH`. */
  deviceKeyHash?: string | undefined;
  /** Forwarded as `X-AgentKeys-Session-Bearer`. Default: `AGENTKEYS_SESSION_BEARER`, else not sent. */
  sessionBearer?: string | undefined;
  /** Deadline of every call in milliseconds. Default: 5000. */
  timeoutMs?: number | undefined;
}

export interface CallOptions {
  /** Ends the call early; the call then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Deadline of this call in milliseconds. Default: the client's. */
  timeoutMs?: number | undefined;
  /** Travels as `Idempotency-Key`; makes a write safe to retry against an authority that honours it. */
  idempotencyKey?: string | undefined;
  /** W3C trace context, sent as the `traceparent` header. Default: none. */
  traceparent?: string | undefined;
}

/** One operation: rejects with AgentKeysError, whose message is the server's own. */
export type Method<K extends ToolKey> = (
  input: ToolInput<Tools[K]>,
  options?: CallOptions,
) => Promise<ToolOutput<Tools[K]>>;

/** whoami needs no argument at all. */
export type WhoamiMethod = (
  input?: ToolInput<Tools["identity_whoami"]>,
  options?: CallOptions,
) => Promise<ToolOutput<Tools["identity_whoami"]>>;

export interface Operations {
  readonly identity: { readonly whoami: WhoamiMethod };
  readonly memory: { readonly get: Method<"memory_get">; readonly put: Method<"memory_put"> };
  readonly permission: { readonly check: Method<"permission_check"> };
  readonly cap: { readonly mint: Method<"cap_mint">; readonly revoke: Method<"cap_revoke"> };
  readonly audit: { readonly append: Method<"audit_append"> };
  readonly delegation: {
    readonly grant: Method<"delegation_grant">;
    readonly revoke: Method<"delegation_revoke">;
  };
  readonly approval: { readonly request: Method<"approval_request"> };
  readonly cred: { readonly store: Method<"cred_store">; readonly fetch: Method<"cred_fetch"> };
}

export interface SessionOptions {
  /** Lifetime of each capability in seconds. Default: 300. */
  ttl?: number | undefined;
  /** Ends the session's own calls. */
  signal?: AbortSignal | undefined;
}

/** The same operations with live capabilities: minted on first use, refreshed before expiry, revoked on dispose. */
export interface Session extends Pick<Operations, "memory" | "cred">, AsyncDisposable {
  /** Revokes what was minted. Never throws. */
  close(): Promise<void>;
}

/** A client is also the source of the model's tools (`rows`, `call`). */
export interface Client extends Operations, ToolSource, AsyncDisposable {
  readonly approvals: ClientApprovals;
  session(options?: SessionOptions): Promise<Session>;
  /** Ends the connections. Calls made afterwards reject. */
  close(): Promise<void>;
}
