import { expect, test } from "vitest";
import { AgentKeysError, errorTable, fromJsonRpcError } from "./errors.ts";

test.each([
  [-32600, "unsupported jsonrpc version `1.0`", "invalid_request"],
  [-32601, "method not found: foo/bar", "method_not_found"],
  [-32601, "tool not found: agentkeys.nope", "tool_not_found"],
  [-32602, "missing `namespace`", "invalid_params"],
  [-32001, "bearer token not recognized", "unauthorized"],
  [-32003, "missing X-AgentKeys-Actor header", "forbidden"],
  [-32003, "actor mismatch: header=A, param=B", "actor_mismatch"],
  [-32003, "actor revoked: 0xa0", "actor_revoked"],
  [-32000, "memory_get failed: backend HTTP error (403): cap expired: cap_id=1", "cap_expired"],
  [
    -32000,
    'backend HTTP error (403): {"error":"cap expired at 1 (now=2)","reason":"cap_freshness_failed"}',
    "cap_expired",
  ],
  [-32000, "memory_get failed: backend HTTP error (403): cap revoked: cap_id=1", "cap_revoked"],
  [-32000, "backend HTTP error (404): unknown cap_id: 1", "cap_unknown"],
  [
    -32000,
    "memory_get failed: backend HTTP error (403): cap not minted by this backend: cap_id=1",
    "cap_unknown",
  ],
  [-32000, "memory_get failed: backend HTTP error (404): no memory in namespace `x`", "not_found"],
  [-32000, "not_implemented_in_v1", "not_implemented_in_v1"],
  [-32000, "backend not configured: broker_url", "backend_error"],
  [
    -32000,
    'cap_mint failed: backend HTTP error (403): {"error":"requested service is not in agent\'s scope","reason":"service_not_in_scope"}',
    "scope_denied",
  ],
  [-32000, "audit_append failed: disk full", "audit_unavailable"],
  [-32603, "internal error", "internal"],
  [-1, "anything", "backend_error"],
] as const)("%i %s is %s, with the server's own message", (code, message, expected) => {
  const error = fromJsonRpcError({ code, message });
  expect(error.code).toBe(expected);
  expect(error.message).toBe(message);
});

test("our server's data.code names what upstream has no text for; an unknown one is ignored", () => {
  expect(fromJsonRpcError({ code: -32000, message: "m", data: { code: "conflict" } }).code).toBe(
    "conflict",
  );
  expect(fromJsonRpcError({ code: -32000, message: "m", data: { code: "toString" } }).code).toBe(
    "backend_error",
  );
});

test("an error is known by its brand, carries its cause in memory and never on the wire", () => {
  const cause = new Error("secret detail");
  const error = AgentKeysError.from(cause);
  expect(AgentKeysError.is(error, "internal")).toBe(true);
  expect(AgentKeysError.is(error, "conflict")).toBe(false);
  expect(AgentKeysError.is({ code: "internal" })).toBe(false);
  expect(error.cause).toBe(cause);
  expect(JSON.stringify(error)).not.toContain("secret");
  expect(JSON.stringify(error)).not.toContain("stack");
  expect(AgentKeysError.from(error)).toBe(error);
});

test("every code has a distinct row; only client-side codes stay off the JSON-RPC wire", () => {
  const silent = Object.entries(errorTable).flatMap(([code, row]) =>
    row.jsonrpc === null ? [code] : [],
  );
  expect(silent).toEqual([
    "permission_denied",
    "approval_required",
    "authority_unavailable",
    "input_not_copyable",
    "config_invalid",
  ]);
});
