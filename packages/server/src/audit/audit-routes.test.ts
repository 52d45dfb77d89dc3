import { envelopeHash } from "@agentkeys/contract";
import { expect, test } from "vitest";
import { actor, open, operator, other, otherOperator } from "../testdata/harness.test-kit.ts";

const row = {
  version: 1,
  ts_unix: 1_700_000_000,
  actor_omni: actor,
  operator_omni: operator,
  op_kind: 1,
  op_body: { service: "s" },
  result: 0,
};
const path = "/v1/audit/append/v2";
const agent = { token: "demo-tok", as: actor };

// Cases 36 and 40, and what the recordings leave out.
test.each([
  [{ actor_omni: "0xabcd" }, 400, "actor_omni: expected 32 bytes, got 2"],
  [
    { operator_omni: "0X00" },
    400,
    "operator_omni: invalid hex: Invalid character 'X' at position 1",
  ],
  [{ actor_omni: "abc" }, 400, "actor_omni: invalid hex: Odd number of digits"],
  [{ intent_commitment: "0xab" }, 400, "intent_commitment: expected 32 bytes, got 1"],
  [{ version: 99, result: 3 }, 400, "unsupported envelope version: 99 (this worker supports 1)"],
])("v1: %j is %i %s", async (change, status, text) => {
  const { http, records } = await open({ surface: "v1", bare: true });
  const answer = await http("POST", path, { json: { ...row, ...change } });
  expect(answer).toMatchObject({ status, text });
  expect(answer.response.headers.get("content-type")).toMatch(/^text\/plain/);
  expect(await records()).toEqual([]);
});

test.each([
  [{ op_body: undefined }, 422],
  [{ result: -1 }, 422],
  [{ op_kind: "1" }, 422],
  [{ ts_unix: null }, 422],
  [{ actor_omni: 7 }, 422],
  [{ intent_text: 7 }, 422],
])("v1: the shape of %j is refused", async (change, status) => {
  const { http } = await open({ surface: "v1", bare: true });
  expect((await http("POST", path, { json: { ...row, ...change } })).status).toBe(status);
});

test.each(['"\\ud800"', "1E400", '{"a":}'])("v1: the body %s is a 400", async (op_body) => {
  const { http } = await open({ surface: "v1", bare: true });
  const body = JSON.stringify(row).replace('{"service":"s"}', op_body);
  const headers = { "content-type": "application/json" };
  expect((await http("POST", path, { body, headers })).status).toBe(400);
});

test("v1: what was appended is served to anybody, as the bytes that were hashed", async () => {
  const { authority, http } = await open({ surface: "v1", bare: true });
  const { text } = await http("POST", path, { json: { ...row, actor_omni: actor.slice(2) } });
  const { envelope_hash } = JSON.parse(text) as { envelope_hash: string };
  for (const hash of [envelope_hash, envelope_hash.slice(2)]) {
    const response = await authority.fetch(`/v1/audit/envelope/${hash}`);
    expect(response.headers.get("content-type")).toBe("application/cbor");
    expect(envelopeHash(new Uint8Array(await response.arrayBuffer()))).toBe(envelope_hash);
  }
});

test.each(["*", `0x${"0".repeat(64)}`])(
  "v1: an unknown hash is told as it was asked: %s",
  async (hash) => {
    const { http } = await open({ surface: "v1", bare: true });
    const { status, text } = await http("GET", `/v1/audit/envelope/${hash}`);
    const message = `no envelope at ${hash}`;
    expect([status, JSON.parse(text)]).toEqual([404, { error: "envelope_not_found", message }]);
  },
);

test("default: only the actor's own rows, and none of the guard's kinds", async () => {
  const { http, records } = await open();
  expect((await http("POST", path, { json: row })).status).toBe(401);
  expect((await http("POST", path, { json: row, token: "demo-tok" })).status).toBe(403);
  const forbidden = [
    { actor_omni: other },
    { operator_omni: otherOperator },
    { op_kind: 110 },
    { op_kind: 245 },
  ];
  for (const change of forbidden) {
    const { status, text } = await http("POST", path, { ...agent, json: { ...row, ...change } });
    expect([status, Object.keys(JSON.parse(text) as object)]).toEqual([403, ["error", "reason"]]);
  }
  expect(await records()).toEqual([]);
  expect((await http("POST", path, { ...agent, json: row })).status).toBe(200);
  expect(await records()).toMatchObject([{ op: "cred.fetch", actor, operator }]);
});

test("default: a record is shown to the operator whose it is", async () => {
  const { authority, http, ok } = await open();
  await ok("permission.check", { scope: "web.search" });
  const [entry] = await authority.records();
  const url = `/v1/audit/envelope/${entry?.envelope_hash}`;
  const get = (token?: string) => http("GET", url, token === undefined ? {} : { token });
  expect((await get()).status).toBe(401);
  expect((await get("demo-tok")).status).toBe(403);
  expect((await get("other-operator-tok")).status).toBe(404);
  const response = await authority.fetch(url, {
    headers: { authorization: "Bearer operator-tok" },
  });
  const bytes = new Uint8Array(await response.arrayBuffer());
  expect(response.headers.get("content-type")).toBe("application/cbor");
  expect(envelopeHash(bytes)).toBe(entry?.envelope_hash);
});
