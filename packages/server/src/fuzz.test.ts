import { isErrorCode, tools } from "@agentkeys/contract";
import fc from "fast-check";
import { pino } from "pino";
import { expect, test } from "vitest";
import {
  actor,
  foreign,
  type Harness,
  identity,
  open,
  operator,
  other,
} from "./testdata/harness.test-kit.ts";

const secret = "sk-very-secret";
const names = Object.values(tools).map(({ id }) => id as string);
const methods = ["tools/call", "tools/list", "initialize", "ping", "guard/begin", "guard/end", "x"];
const keys = [
  "actor",
  "namespace",
  "content",
  "operator_omni",
  "device_key_hash",
  "service",
  "cap",
  "op",
  "params",
  "ttl",
  "cap_id",
  "event",
  "scope",
  "begin_id",
  "call_id",
  "tool",
  "input_digest",
  "ticket",
  "outcome",
  "refused",
  "clear",
  "__proto__",
  "constructor",
  "toString",
];

const scalar = fc.oneof(
  fc.constantFrom<unknown>(
    actor,
    other,
    foreign,
    operator,
    "travel",
    "openrouter",
    "payment.spend",
    "memory_get",
    "",
    "0x",
    null,
    true,
    -1,
    0,
    600,
    1e300,
    0.5,
  ),
  fc.string({ unit: "grapheme", maxLength: 20 }),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.uuid(),
);
const value = fc.letrec<{ any: unknown }>((tie) => ({
  any: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    scalar,
    fc.array(tie("any"), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom(...keys), tie("any"), { maxKeys: 5 }),
  ),
})).any;
const args = fc
  .tuple(fc.dictionary(fc.constantFrom(...keys), value), fc.boolean())
  .map(([some, own]) => (own ? { ...identity, ...some } : some));
const params = fc.oneof(
  fc.record({
    name: fc.constantFrom<string>(...names, "agentkeys.x"),
    arguments: fc.oneof(args, value),
  }),
  args,
  value,
);
const request = fc.record(
  {
    jsonrpc: fc.constantFrom<unknown>("2.0", "2.0", "2.0", "1.0", 2),
    method: fc.constantFrom<unknown>(...methods, 7),
    params,
    id: value,
  },
  { requiredKeys: ["jsonrpc", "method"] },
);

interface Answer {
  result?: unknown;
  error?: { code: number; message: string; data?: { code?: unknown } };
}

/** What is wrong with an answer to a JSON-RPC request. */
function problemOf(status: number, text: string): string | undefined {
  if (status !== 200) return [400, 401, 403, 422].includes(status) ? undefined : `status ${status}`;
  const { result, error, ...rest } = JSON.parse(text) as Answer & { jsonrpc: string };
  if (rest.jsonrpc !== "2.0") return "no version";
  if ((result === undefined) === (error === undefined)) return "not one of result and error";
  if (error === undefined) return undefined;
  const { code, message, data } = error;
  if (!Number.isInteger(code) || code === -32603 || message === "")
    return `error ${code} ${message}`;
  return data?.code === undefined || isErrorCode(data.code) ? undefined : "an unknown code";
}

/** What was thrown inside, or was kept for somebody. */
const leak = new RegExp(
  `\\bat .*\\.ts:\\d+|node:internal|TypeError|RangeError|sqlite|${secret}`,
  "i",
);

async function withSecrets(
  surface: "v1" | "default",
): Promise<{ harness: Harness; logged: string[] }> {
  const logged: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
  const harness = await open({ surface, bare: surface === "v1", log });
  await harness.call("memory.put", { namespace: "travel", content: secret });
  await harness.call("cred.store", { service: "openrouter", content: secret });
  return { harness, logged };
}

test.each(["v1", "default"] as const)(
  "%s: any request has a well-formed answer that tells nothing",
  async (surface) => {
    const { harness, logged } = await withSecrets(surface);
    await fc.assert(
      fc.asyncProperty(fc.oneof(request, value), async (body) => {
        const { status, text } = await harness.http("POST", "/mcp", {
          token: "acme-tok",
          as: other,
          json: body,
        });
        expect(problemOf(status, text)).toBeUndefined();
        expect(text).not.toMatch(leak);
      }),
      { numRuns: 400 },
    );
    expect(logged).toEqual([]);
  },
);

test.each(["/mcp", "/v1/audit/append/v2", `/v1/actors/${other}/revoke`])(
  "POST %s: any bytes are answered",
  async (path) => {
    const { harness, logged } = await withSecrets("default");
    const text = fc.oneof(
      fc.string(),
      fc.json(),
      fc.json().map((json) => json.slice(1)),
      fc.string({
        unit: fc.constantFrom("{", "}", "[", "]", '"', ",", ":", "0", "e", "-", ".", "\\", "u"),
      }),
    );
    await fc.assert(
      fc.asyncProperty(text, fc.constantFrom("demo-tok", "operator-tok"), async (body, token) => {
        const headers = { "content-type": "application/json" };
        const answer = await harness.http("POST", path, { token, as: actor, body, headers });
        expect([200, 400, 401, 403, 422]).toContain(answer.status);
        expect(answer.text).not.toMatch(leak);
      }),
      { numRuns: 300 },
    );
    expect(logged).toEqual([]);
  },
);

test("an error that nobody foresaw is logged and leaves as `internal error`", async () => {
  const logged: string[] = [];
  const log = pino({ level: "error" }, { write: (line: string) => void logged.push(line) });
  let broken = false;
  const clock = () => {
    if (broken) throw new Error(`secret detail ${secret}`);
    return Date.now();
  };
  const harness = await open({ log, clock });
  broken = true;
  const { error } = await harness.call("permission.check", { scope: "web.search" });
  expect(error).toEqual({ code: -32603, message: "internal error" });
  const route = await harness.http("POST", `/v1/actors/${actor}/revoke`, {
    token: "operator-tok",
    json: { reason: "x" },
  });
  expect([route.status, route.text]).toEqual([
    500,
    '{"error":"internal error","reason":"internal"}',
  ]);
  expect(logged.join("")).toContain("secret detail");
});
