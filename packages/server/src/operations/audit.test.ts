import { decodeEnvelope, parseJson, stringifyJson } from "@agentkeys/contract";
import { expect, test } from "vitest";
import { actor, open, operator, other, otherOperator } from "../testdata/harness.test-kit.ts";

const event = { operator_omni: operator, op_kind: 0, op_body: { service: "s" }, result: 0 };

test("a record holds what was sent, numbers as they were written", async () => {
  const { http, authority } = await open();
  const op_body = '{"a":600.0,"b":600,"c":18446744073709551615,"d":1e2,"__proto__":{"e":null}}';
  const args = `{"actor":"${actor}","event":{"operator_omni":"${operator}","op_kind":1,"result":2,"op_body":${op_body},"intent_text":"why"}}`;
  const body = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"agentkeys.audit.append","arguments":${args}}}`;
  const headers = { "content-type": "application/json" };
  const { text } = await http("POST", "/mcp", { token: "demo-tok", as: actor, body, headers });
  const [entry] = await authority.records();
  expect(text).toContain(entry?.envelope_hash);
  const envelope = decodeEnvelope(entry?.bytes ?? new Uint8Array());
  expect(envelope).toMatchObject({ op_kind: 1, result: 2, actor_omni: actor, intent_text: "why" });
  const sorted = '{"a":600.0,"b":600,"c":18446744073709551615,"d":100.0,"__proto__":{"e":null}}';
  expect(stringifyJson(envelope.op_body)).toBe(stringifyJson(parseJson(sorted)));
});

test("bytes are narrowed before the guard's own kinds are refused", async () => {
  const { call, records } = await open();
  const reserved = [110, 111, 240, 244, 249, 256 + 110, 256 * 3 + 245];
  for (const op_kind of reserved) {
    const { error } = await call("audit.append", { event: { ...event, op_kind } });
    expect(error).toMatchObject({ code: -32003 });
  }
  expect(await records()).toEqual([]);
  for (const op_kind of [0, 109, 112, 239, 250, 255, 256])
    await call("audit.append", { event: { ...event, op_kind } });
  expect(await records()).toHaveLength(7);
});

test("v1 keeps upstream's laxity: any kind and any result byte", async () => {
  const { ok, records } = await open({ surface: "v1", bare: true });
  await ok("audit.append", { event: { ...event, op_kind: 366, result: 7 } });
  expect(await records()).toMatchObject([{ op: "runtime.tool_result", result: 7 }]);
});

test.each([
  [{ result: 3 }, "unknown result byte: 3"],
  [{ result: 256 + 7 }, "unknown result byte: 7"],
  [{ operator_omni: "0xabcd" }, "operator_omni: expected 32 bytes, got 2"],
  [{ operator_omni: "0xzz" }, "operator_omni: invalid hex: Invalid character 'z' at position 0"],
])("the worker's refusal of %j comes through", async (change, problem) => {
  const { call, records } = await open({ bare: true });
  const { error } = await call("audit.append", { event: { ...event, ...change } });
  expect(error).toEqual({
    code: -32000,
    message: `audit_append failed: backend HTTP error (400): ${problem}`,
  });
  expect(await records()).toEqual([]);
});

test("an actor writes for itself and its own operator only", async () => {
  const { call, records } = await open();
  expect((await call("audit.append", { actor: other, event })).error?.message).toMatch(
    /^actor mismatch: /,
  );
  const foreign = { ...event, operator_omni: otherOperator };
  expect((await call("audit.append", { event: foreign })).error).toMatchObject({ code: -32003 });
  expect(await records()).toEqual([]);
});
