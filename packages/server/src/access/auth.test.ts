import { expect, test } from "vitest";
import { actor, foreign, open, operator, other } from "../testdata/harness.test-kit.ts";

const ping = { jsonrpc: "2.0", id: 7, method: "ping" };

test.each([
  [{}, 401, -32001, "missing Authorization header"],
  [{ token: "nope", as: actor }, 401, -32001, "bearer token not recognized"],
  // An operator's token is no vendor's.
  [{ token: "operator-tok", as: actor }, 401, -32001, "bearer token not recognized"],
  [{ token: "demo-tok" }, 403, -32003, "missing X-AgentKeys-Actor header"],
  [
    { token: "demo-tok", headers: { "x-agentkeys-actor": "  " } },
    403,
    -32003,
    "empty X-AgentKeys-Actor header",
  ],
  [
    { token: "demo-tok", as: `0x${"99".repeat(32)}` },
    403,
    -32003,
    `actor not allowed: 0x${"99".repeat(32)}`,
  ],
  [{ token: "demo-tok", as: foreign }, 403, -32003, `actor not allowed: ${foreign}`],
])("%o: %i %i %s", async (init, status, code, message) => {
  const { http } = await open();
  const answer = await http("POST", "/mcp", { ...init, json: ping });
  expect(answer.status).toBe(status);
  expect(JSON.parse(answer.text)).toEqual({ jsonrpc: "2.0", error: { code, message }, id: 7 });
});

test("an actor without a vendor belongs to any", async () => {
  const { http } = await open();
  for (const token of ["demo-tok", "acme-tok"]) {
    expect((await http("POST", "/mcp", { token, as: other, json: ping })).status).toBe(200);
  }
});

test("a star in the header is an actor like any other and matches none", async () => {
  const { call } = await open({ bare: true });
  const { error } = await call("identity.whoami", {}, { as: "*" });
  expect(error).toEqual({ code: -32003, message: `actor mismatch: header=*, param=${actor}` });
});

// Case 10.
test("the version is judged after the caller", async () => {
  const { http } = await open();
  const old = { ...ping, jsonrpc: "1.0" };
  expect((await http("POST", "/mcp", { json: old })).status).toBe(401);
  const { text } = await http("POST", "/mcp", { token: "demo-tok", as: actor, json: old });
  expect(JSON.parse(text)).toMatchObject({
    error: { code: -32600, message: "unsupported jsonrpc version `1.0`" },
  });
});

test("whoami tells a configured actor its own scopes", async () => {
  const { ok } = await open();
  const { scopes } = await ok("identity.whoami", { actor: other }, { as: other });
  expect(scopes).toEqual([]);
  const mine = await ok("identity.whoami", { actor });
  expect(mine).toMatchObject({ omni: actor, vendor: "magiclick" });
  expect(mine["scopes"]).toContain("payment.spend");
  expect(operator).not.toBe(actor);
});
