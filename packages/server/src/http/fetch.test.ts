import { expect, test } from "vitest";
import { BODY_LIMIT } from "./http.ts";
import { actor, open, operator } from "../testdata/harness.test-kit.ts";

const headers = {
  authorization: "Bearer demo-tok",
  "x-agentkeys-actor": actor,
  "content-type": "application/json",
};
const append = JSON.stringify({
  jsonrpc: "2.0",
  id: 1,
  method: "tools/call",
  params: {
    name: "agentkeys.audit.append",
    arguments: { actor, event: { operator_omni: operator, op_kind: 1, result: 0 } },
  },
});

test("any form of headers, body and url that fetch takes", async () => {
  const { authority } = await open();
  const ping = '{"jsonrpc":"2.0","id":1,"method":"ping"}';
  const forms: [string, RequestInit][] = [
    ["http://localhost:8088/mcp", { headers, body: ping }],
    ["/mcp", { headers: new Headers(headers), body: new TextEncoder().encode(ping) }],
    ["https://authority/mcp?x=1", { headers: Object.entries(headers), body: new Blob([ping]) }],
  ];
  for (const [url, init] of forms) {
    const response = await authority.fetch(url, { method: "post", ...init });
    expect([response.status, await response.json()]).toEqual([
      200,
      { jsonrpc: "2.0", result: {}, id: 1 },
    ]);
    expect(response.headers.get("content-type")).toBe("application/json");
  }
});

test("an aborted call rejects with the signal's reason; one that was under way is not undone", async () => {
  const { authority, records } = await open();
  const reason = new Error("enough");
  const before = authority.fetch("/mcp", {
    method: "POST",
    headers,
    body: append,
    signal: AbortSignal.abort(reason),
  });
  await expect(before).rejects.toBe(reason);
  expect(await records()).toEqual([]);
  const controller = new AbortController();
  const during = authority.fetch("/mcp", {
    method: "POST",
    headers,
    body: append,
    signal: controller.signal,
  });
  await Promise.resolve();
  controller.abort(reason);
  await expect(during).rejects.toBe(reason);
  await authority.fetch("/readyz");
  expect(await records()).toHaveLength(1);
});

test("an abort ends a stream", async () => {
  const { authority } = await open();
  const controller = new AbortController();
  const response = await authority.fetch("/v1/audit/stream?after=0", {
    headers: { authorization: "Bearer operator-tok" },
    signal: controller.signal,
  });
  const reader = response.body?.getReader();
  await reader?.read();
  const reason = new Error("enough");
  const next = reader?.read();
  controller.abort(reason);
  await expect(next).rejects.toBe(reason);
  const { text } = await (await open()).http("GET", "/metrics");
  expect(text).toContain("agentkeys_audit_streams 0");
  expect(await (await authority.fetch("/metrics")).text()).toContain("agentkeys_audit_streams 0");
});

test("bytes that are no text, and a byte order mark, are refused here too", async () => {
  const { authority } = await open();
  for (const body of [Uint8Array.of(0x22, 0xff, 0x22), new Blob(['\ufeff"x"'])]) {
    const response = await authority.fetch("/mcp", { method: "POST", headers, body });
    expect(response.status).toBe(400);
  }
});

test("the body limit holds here too", async () => {
  const { authority } = await open();
  const body = "x".repeat(BODY_LIMIT + 1);
  expect((await authority.fetch("/mcp", { method: "POST", headers, body })).status).toBe(413);
});
