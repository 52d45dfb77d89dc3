import { parseJson, type WireValue } from "@agentkeys/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fieldsOf } from "../rpc/fields.ts";
import { compilePolicy } from "./policy.ts";
import { defaultApprovals, type ScopeRule, type Settings } from "../config/settings.ts";

const actor = `0x${"a1".repeat(32)}`;

function settings(scopes?: Record<string, ScopeRule>): Settings {
  const configured = {
    omni: actor,
    operator: `0x${"b2".repeat(32)}`,
    vendor: undefined,
    namespaces: new Set<string>(),
    services: new Set<string>(),
    scopes: new Map(Object.entries(scopes ?? {})),
  };
  return {
    vendors: [],
    operators: [],
    approvals: defaultApprovals,
    actors: scopes === undefined ? undefined : new Map([[actor, configured]]),
    defaults: {
      actor: undefined,
      operator_omni: undefined,
      device_key_hash: undefined,
      daily_spend_cap_rmb: 500n,
    },
  };
}

function decide(scopes: Record<string, ScopeRule> | undefined, scope: string, params: string) {
  return compilePolicy(settings(scopes))({ actor, scope, params: fieldsOf(parseJson(params)) });
}

test.each([
  [
    '{"amount_rmb":600}',
    "deny",
    "daily_spend_cap_exceeded",
    "cap=500, requested=600, period=daily",
  ],
  ['{"amount_rmb":500}', "accept", "within_daily_cap", "amount 500 ≤ daily cap 500"],
  ['{"amount_rmb":0}', "accept", "within_daily_cap", "amount 0 ≤ daily cap 500"],
  ['{"amount":501}', "deny", "daily_spend_cap_exceeded", "cap=500, requested=501, period=daily"],
  [
    '{"amount_rmb":9007199254740993}',
    "deny",
    "daily_spend_cap_exceeded",
    "cap=500, requested=9007199254740993, period=daily",
  ],
  ...[
    '{"amount_rmb":600.0}',
    '{"amount_rmb":6e2}',
    '{"amount_rmb":-1}',
    '{"amount_rmb":-0}',
    '{"amount_rmb":"600"}',
    '{"amount_rmb":18446744073709551616}',
    '{"amount_rmb":null,"amount":1}',
    "{}",
  ].map((params) => [
    params,
    "deny",
    "missing_amount",
    "payment.spend requires `amount_rmb` in params",
  ]),
])("built-in payment.spend %s: %s", (params, verdict, reason, explanation) => {
  const expected = { verdict, scope: "payment.spend", reason, explanation };
  expect(decide(undefined, "payment.spend", params)).toEqual(expected);
});

const spend: ScopeRule = { currency: "USD", per_call: 500n, ask_above: 300n };

test.each([
  ['{"amount_usd":300}', "accept", "within_daily_cap"],
  ['{"amount_usd":301}', "ask_parent", "above_ask_threshold"],
  ['{"amount_usd":501}', "deny", "daily_spend_cap_exceeded"],
  ['{"amount":200,"currency":"usd"}', "accept", "within_daily_cap"],
  ['{"amount":200,"currency":"RMB"}', "deny", "currency_mismatch"],
  ['{"amount":200,"currency":7}', "deny", "currency_mismatch"],
  ['{"amount_rmb":200}', "deny", "missing_amount"],
])("a configured cap, then the question: %s %s", (params, verdict, reason) => {
  expect(decide({ "shop.pay": spend }, "shop.pay", params)).toMatchObject({ verdict, reason });
});

test("a configured actor has what its file names and nothing else", () => {
  const scopes: Record<string, ScopeRule> = {
    "web.search": { effect: "allow" },
    "web.post": { effect: "deny" },
  };
  expect(decide(scopes, "web.search", "{}").verdict).toBe("accept");
  expect(decide(scopes, "web.post", "{}").verdict).toBe("deny");
  // Allowed by the built-in policy, but that does not count here.
  expect(decide(scopes, "memory.read", "{}").reason).toBe("scope_not_in_policy_table");
  const stranger = { actor: `0x${"c3".repeat(32)}`, scope: "web.search", params: {} };
  expect(compilePolicy(settings(scopes))(stranger).verdict).toBe("deny");
});

test("what is not named falls to the rule of *, what is named never does", () => {
  const scopes: Record<string, ScopeRule> = { "web.post": { effect: "deny" }, "*": spend };
  expect(decide(scopes, "web.post", '{"amount":1}').reason).toBe("scope_forbidden");
  expect(decide(scopes, "web.search", '{"amount":1}')).toMatchObject({
    verdict: "accept",
    scope: "web.search",
  });
  expect(decide(scopes, "web.search", '{"amount":501}').verdict).toBe("deny");
  expect(decide({ "*": { effect: "deny" } }, "memory.read", "{}").verdict).toBe("deny");
});

test("no params ever make a cap accept more than the cap", () => {
  const policy = compilePolicy(settings({ "shop.pay": spend }));
  const facts = fc.dictionary(
    fc.constantFrom("amount", "amount_usd", "currency", "__proto__", "constructor"),
    fc.oneof(
      fc.jsonValue() as fc.Arbitrary<WireValue>,
      fc.bigInt({ min: 0n, max: 1000n }),
      fc.nat(1000),
    ),
  );
  fc.assert(
    fc.property(facts, (params) => {
      const { verdict } = policy({ actor, scope: "shop.pay", params });
      const amount = Object.hasOwn(params, "amount_usd") ? params["amount_usd"] : params["amount"];
      const whole =
        typeof amount === "bigint" || (typeof amount === "number" && Number.isSafeInteger(amount));
      return verdict === "deny" || (whole && amount >= 0 && amount <= 500);
    }),
  );
});
