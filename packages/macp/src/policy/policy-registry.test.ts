import { describe, expect, test } from "vitest";
import { policy } from "../kernel/kernel.test-kit.ts";
import { createPolicyRegistry } from "./policy-registry.ts";

const refusal = (text: string) => ({ ok: false, error: expect.stringContaining(text) });

test("the default is always there, for every mode, and nobody can replace or remove it", () => {
  const registry = createPolicyRegistry();
  expect(registry.get("policy.default")).toMatchObject({
    policyId: "policy.default",
    mode: "*",
    schemaVersion: 1,
    registeredAtUnixMs: 0n,
  });
  expect(JSON.parse(registry.get("policy.default")?.rules ?? "")).toMatchObject({
    commitment: { authority: "initiator_only" },
    voting: { algorithm: "none" },
  });
  expect(registry.register(policy({ policyId: "policy.default" }))).toEqual(refusal("reserved"));
  expect(registry.unregister("policy.default")).toEqual(refusal("reserved"));
  expect(registry.resolve("")?.policy_id).toBe("policy.default");
});

test("an id keeps its meaning: a second registration is refused", () => {
  const registry = createPolicyRegistry();
  expect(registry.register(policy({ rules: { a: 1 } }))).toEqual({ ok: true });
  expect(registry.register(policy({ rules: { a: 2 } }))).toEqual(refusal("already registered"));
  expect(registry.get("policy.test")?.rules).toBe('{"a":1}');
});

test("a policy comes back with its rules, not with the text it was sent in", () => {
  const registry = createPolicyRegistry();
  const rules =
    ' { "voting": { "threshold": 0.6, "algorithm": "majority" }, "audit": { "level": "info" } } ';
  registry.register(policy({ mode: "macp.mode.decision.v1", description: "d", rules }));
  expect(registry.get("policy.test")).toMatchObject({
    policyId: "policy.test",
    mode: "macp.mode.decision.v1",
    description: "d",
    rules: '{"audit":{"level":"info"},"voting":{"algorithm":"majority","threshold":0.6}}',
    schemaVersion: 2,
    registeredAtUnixMs: 0n,
  });
});

test("policies are listed by id, those of a mode with those for every mode", () => {
  const registry = createPolicyRegistry();
  registry.register(policy({ policyId: "policy.z", mode: "macp.mode.task.v1" }));
  registry.register(policy({ policyId: "policy.a", mode: "macp.mode.decision.v1" }));
  const ids = (mode?: string) => registry.list(mode).map(({ policyId }) => policyId);
  expect(ids()).toEqual(["policy.a", "policy.default", "policy.z"]);
  expect(ids("")).toEqual(["policy.a", "policy.default", "policy.z"]);
  expect(ids("macp.mode.task.v1")).toEqual(["policy.default", "policy.z"]);
  expect(ids("macp.mode.quorum.v1")).toEqual(["policy.default"]);
});

test("an unregistered policy is gone, and its id free", () => {
  const registry = createPolicyRegistry();
  registry.register(policy({}));
  expect(registry.unregister("policy.test")).toEqual({ ok: true });
  expect(registry.unregister("policy.test")).toEqual(refusal("not found"));
  expect(registry.get("policy.test")).toBeUndefined();
  expect(registry.resolve("policy.test")).toBeUndefined();
  expect(registry.register(policy({}))).toEqual({ ok: true });
});

test("who watches is told of each change and of nothing else", () => {
  const registry = createPolicyRegistry();
  let changes = 0;
  const unwatch = registry.watch(() => (changes += 1));
  registry.register(policy({}));
  registry.register(policy({}));
  registry.unregister("policy.test");
  registry.unregister("policy.test");
  expect(changes).toBe(2);
  unwatch();
  registry.register(policy({}));
  expect(changes).toBe(2);
});

describe("registration refuses", () => {
  const decision = { mode: "macp.mode.decision.v1" };
  const quorum = { mode: "macp.mode.quorum.v1" };
  test.each([
    ["an empty id", policy({ policyId: "" })],
    ["schema version 0", policy({ schemaVersion: 0 })],
    ["rules that are a list", policy({ rules: [] })],
    ["rules that are null", policy({ rules: "null" })],
    ["rules that are no JSON", policy({ rules: "{voting" })],
    ["a rule of another type", policy({ ...decision, rules: { voting: { threshold: "half" } } })],
    ["null for a rule", policy({ ...decision, rules: { voting: null } })],
    [
      "weighted without weights",
      policy({ ...decision, rules: { voting: { algorithm: "weighted" } } }),
    ],
    [
      "a supermajority of half",
      policy({ ...decision, rules: { voting: { algorithm: "supermajority", threshold: 0.5 } } }),
    ],
    ["an unknown algorithm", policy({ ...decision, rules: { voting: { algorithm: "lottery" } } })],
    [
      "an unknown algorithm for every mode",
      policy({ rules: { voting: { algorithm: "lottery" } } }),
    ],
    ["a threshold above 1", policy({ ...decision, rules: { voting: { threshold: 2 } } })],
    ["a negative weight", policy({ ...decision, rules: { voting: { weights: { a: -1 } } } })],
    ["a negative quorum", policy({ ...decision, rules: { voting: { quorum: { value: -1 } } } })],
    [
      "an unknown threshold",
      policy({ ...quorum, rules: { threshold: { type: "weighted", value: 2 } } }),
    ],
    ["a negative threshold", policy({ ...quorum, rules: { threshold: { value: -2 } } })],
    [
      "101 percent",
      policy({ ...quorum, rules: { threshold: { type: "percentage", value: 101 } } }),
    ],
    ["a role without people", policy({ rules: { commitment: { authority: "designated_role" } } })],
    [
      "a role without people, for a mode that it does not know",
      policy({ mode: "ext.poll.v1", rules: { commitment: { authority: "designated_role" } } }),
    ],
  ])("%s", (_, init) => {
    const registry = createPolicyRegistry();
    expect(registry.register(init)).toEqual(refusal("INVALID_POLICY_DEFINITION"));
    expect(registry.list().map(({ policyId }) => policyId)).toEqual(["policy.default"]);
  });
});

describe("registration takes", () => {
  test.each([
    ["no rules at all", policy({ rules: "" })],
    ["keys that it does not know", policy({ rules: { novelty: { level: 3 } } })],
    [
      "any rules for a mode that it does not know",
      policy({ mode: "ext.poll.v1", rules: { voting: 3 } }),
    ],
    ["a newer schema version", policy({ schemaVersion: 9 })],
  ])("%s", (_, init) => {
    expect(createPolicyRegistry().register(init)).toEqual({ ok: true });
  });
});
