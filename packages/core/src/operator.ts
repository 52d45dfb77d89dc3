import {
  AgentKeysError,
  errorTable,
  type ErrorCode,
  isErrorCode,
  type DirectAnswer,
} from "@agentkeys/contract";
import type { Fetch } from "./client-surface.ts";
import { limitsOf, within } from "./deadline.ts";
import { env } from "./env.ts";
import { isRecord } from "./is-record.ts";
import { openDoor } from "./mcp-transport.ts";
import { withRetry } from "./retry.ts";
import { unavailable, unreachable } from "./unavailable.ts";

export interface OperatorOptions {
  /** The authority's `/mcp` URL; the operator's own addresses are derived from it. Default: `AGENTKEYS_MCP_URL`, else `http://localhost:8088/mcp`. */
  url?: string | undefined;
  /** Used in place of a connection: an embedded authority's `fetch`, or the platform's on the edge. Default: an undici pool. */
  fetch?: Fetch | undefined;
  /** The operator's bearer. Default: `AGENTKEYS_OPERATOR_TOKEN`. */
  token?: string | undefined;
  /** Deadline of every call in milliseconds. Default: 5000. */
  timeoutMs?: number | undefined;
}

export interface RevokeOptions {
  /** Written into the record of the revocation. */
  reason: string;
  /** Ends the call early; it then rejects with the signal's reason. */
  signal?: AbortSignal | undefined;
  /** Deadline of this call in milliseconds. Default: the operator's. */
  timeoutMs?: number | undefined;
}

export interface Revocation {
  ok: boolean;
  actor: string;
  /** Unix seconds. */
  revoked_at: number;
  envelope_hash: string;
}

/** What the person responsible may do, and an agent's token never can. Rejects with AgentKeysError. */
export interface Operator extends AsyncDisposable {
  readonly actors: {
    /** Refuses every later call of the actor, at once. Repeating it keeps the first time and reason. */
    revoke(actor: string, options: RevokeOptions): Promise<Revocation>;
  };
  close(): Promise<void>;
}

export function createOperator(options: OperatorOptions = {}): Operator {
  let door: ReturnType<typeof openDoor> | undefined;
  const post = async (route: string, body: object, call: Omit<RevokeOptions, "reason">) => {
    const headers = {
      "content-type": "application/json",
      authorization: `Bearer ${tokenOf(options)}`,
    };
    const limits = limitsOf(call.timeoutMs ?? options.timeoutMs ?? 5000, call.signal);
    const { http, path } = await (door ??= openDoor(options.url, options.fetch));
    const request = { path: base(path) + route, headers, body: JSON.stringify(body) };
    const send = (): Promise<unknown> =>
      within(limits, (onStop) => http.post(request, onStop))
        .then(readBody)
        .catch((error: unknown) => {
          throw limits.signal?.aborted === true ? error : unreachable(error);
        });
    return withRetry(send, limits, () => true);
  };

  const close = async (): Promise<void> => {
    await (await door?.catch(() => undefined))?.http.close();
  };
  return Object.freeze({
    actors: Object.freeze({
      async revoke(actor: string, { reason, ...call }: RevokeOptions): Promise<Revocation> {
        const answer = await post(
          `/v1/actors/${encodeURIComponent(actor)}/revoke`,
          { reason },
          call,
        );
        if (isRevocation(answer)) return answer;
        throw unavailable("malformed answer: not a revocation");
      },
    }),
    close,
    [Symbol.asyncDispose]: close,
  });
}

function tokenOf({ token }: OperatorOptions): string {
  const found = token || env("AGENTKEYS_OPERATOR_TOKEN");
  if (found !== undefined && /^[\x21-\x7e]+$/.test(found)) return found;
  throw new AgentKeysError(
    "config_invalid",
    "missing or unusable operator's token: set the environment variable AGENTKEYS_OPERATOR_TOKEN or pass createOperator({ token })",
    { data: { variable: "AGENTKEYS_OPERATOR_TOKEN", option: "token" } },
  );
}

/** `/mcp` → ``, `/agents/mcp` → `/agents`. */
function base(path: string): string {
  const found = /^(.*)\/mcp\/?$/.exec(path)?.[1];
  if (found !== undefined) return found;
  throw new AgentKeysError("config_invalid", "url: expected http://… or https://…, ending in /mcp");
}

function readBody({ status, body }: DirectAnswer): unknown {
  const answer = parse(body);
  if (status === 200 && isRecord(answer)) return answer;
  const { error, reason, code, message } = isRecord(answer) ? answer : {};
  const text = [error, message].find((found) => typeof found === "string");
  const known = [reason, code].find(isErrorCode) ?? codeOf(status);
  if (text === undefined && (known === undefined || status >= 500))
    throw unavailable(`HTTP ${status}`);
  throw new AgentKeysError(known ?? "authority_unavailable", text ?? `HTTP ${status}`);
}

/** The code that speaks most generally for a status: the first of the table. */
function codeOf(status: number): ErrorCode | undefined {
  if (status === 404) return "not_found";
  const codes = Object.keys(errorTable) as ErrorCode[];
  return codes.find((code) => errorTable[code].http === status);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function isRevocation(answer: unknown): answer is Revocation & Record<string, unknown> {
  return (
    isRecord(answer) &&
    answer["ok"] === true &&
    typeof answer["actor"] === "string" &&
    Number.isSafeInteger(answer["revoked_at"]) &&
    typeof answer["envelope_hash"] === "string"
  );
}
