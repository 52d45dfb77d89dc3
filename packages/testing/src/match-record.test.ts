import { AssertionError } from "node:assert";
import { expect, test } from "vitest";
import { assertDenied, assertRecorded } from "./assertions.ts";
import { findRecords } from "./match-record.ts";
import { mockAuthority } from "./mock-authority.ts";
import type { Recorded } from "./recorded.ts";
import { recordMatchers } from "./vitest.ts";

const bare = { version: 1, ts_unix: 0, actor_omni: "0xa0", operator_omni: "0x07" } as const;
const row = (given: Partial<Recorded>): Recorded => ({
  ...bare,
  seq: 1,
  kind: "guard.intent",
  op_kind: 240,
  result: 0,
  envelope_hash: `0x${given.seq ?? 1}`,
  op_body: {},
  intent_text: null,
  intent_commitment: null,
  ...given,
});
const refused = { tool: "order_food", scope: "payment.spend", verdict: "deny" } as const;
const log = [
  row({ seq: 1, tool: "search_web", scope: "web.search", verdict: "accept", reason: "allowed" }),
  row({ seq: 2, kind: "runtime.tool_result", tool: "search_web", outcome: "ok", intent: "0x1" }),
  row({ seq: 3, ...refused, reason: "over_the_cap", result: 2, clear: { dish: "soup", n: [1] } }),
];

const messageOf = (run: () => void): string => {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(AssertionError);
    return (error as Error).message;
  }
  return "";
};

test("fields in any number, objects in part, patterns and matchers", () => {
  expect(findRecords(log, {})).toHaveLength(3);
  expect(findRecords(log, { tool: "search_web" }).map(({ seq }) => seq)).toEqual([1, 2]);
  expect(findRecords(log, { clear: { dish: "soup" } })).toHaveLength(1);
  expect(findRecords(log, { clear: { dish: "soup", n: [2] } })).toEqual([]);
  expect(findRecords(log, { reason: /cap$/, outcome: expect.anything() })).toEqual([]);
  expect(findRecords(log, { reason: /cap$/, scope: expect.any(String) })).toHaveLength(1);
});

test("a field that no record has is an error, never an absence", () => {
  expect(() => expect(log).not.toHaveRecorded({ tol: "search_web" } as object)).toThrow(TypeError);
  expect(() => assertRecorded(log, { tol: "search_web" } as object)).toThrow(TypeError);
  expect(() => findRecords({} as never, {})).toThrow(TypeError);
});

test("what was looked for, what came nearest and what is there", () => {
  const message = messageOf(() => assertRecorded(log, { tool: "order_food", verdict: "accept" }));
  expect(message).toBe(
    [
      "no record has { tool: 'order_food', verdict: 'accept' }",
      "nearest is 3: verdict is 'deny'",
      "",
      "recorded:",
      "  1 guard.intent search_web web.search accept allowed",
      "  2 runtime.tool_result search_web ok",
      "  3 guard.intent order_food payment.spend deny over_the_cap",
    ].join("\n"),
  );
  expect(messageOf(() => assertRecorded([], { tool: "x" }))).toMatch(/nothing is recorded$/);
  expect(messageOf(() => assertRecorded(log, { tool: "order_food" }))).toBe("");
});

test("a denial is a refusal after which nothing ran", () => {
  assertDenied(log, "order_food");
  assertDenied(log, { reason: "over_the_cap" });
  expect(messageOf(() => assertDenied(log, "search_web"))).toContain("no record has");
  const ran = row({ seq: 4, kind: "runtime.tool_result", tool: "order_food", intent: "0x3" });
  expect(messageOf(() => assertDenied([...log, ran], "order_food"))).toContain("yet it ran");
});

test("the matchers are registered, and work for a log and for an authority", async () => {
  expect(log).toHaveRecorded({ tool: "search_web", outcome: "ok" });
  expect(log).toHaveDenied("order_food");
  expect(log).not.toHaveDenied("search_web");
  expect(() => expect(log).not.toHaveDenied("order_food")).toThrow("a record has");
  expect(Object.keys(recordMatchers)).toEqual(["toHaveRecorded", "toHaveDenied"]);
  await using authority = await mockAuthority();
  expect(authority).not.toHaveRecorded({});
  await authority.revoke();
  expect(authority).toHaveRecorded({ kind: "scope.revoke" });
});
