import { AgentKeysError } from "@agentkeys/contract";
import { describe, expect, test } from "vitest";
import {
  type DecisionPolicy,
  decisionPolicy,
  handoffPolicy,
  proposalPolicy,
  type QuorumPolicy,
  quorumPolicy,
  taskPolicy,
} from "./policy-builders.ts";
import { createPolicyRegistry } from "./policy-registry.ts";

const options = { policyId: "policy.deploy" };

test("a policy says schema version 2 unless told otherwise, and a registry takes it", () => {
  const rules = {
    voting: { algorithm: "majority" },
    commitment: { require_vote_quorum: true },
  } as const;
  const policy = decisionPolicy(options, rules);
  expect(policy).toEqual({
    policyId: "policy.deploy",
    mode: "macp.mode.decision.v1",
    description: "",
    rules: JSON.stringify(rules),
    schemaVersion: 2,
  });
  const registry = createPolicyRegistry();
  expect(registry.register(policy)).toEqual({ ok: true });
  const strict = decisionPolicy({ policyId: "policy.strict", schemaVersion: 3 }, rules);
  expect(registry.register(strict)).toEqual({ ok: true });
  expect(registry.get("policy.strict")?.schemaVersion).toBe(3);
});

test.each([
  [proposalPolicy(options, { acceptance: { criterion: "counterparty" } }), "macp.mode.proposal.v1"],
  [taskPolicy(options, { completion: { require_output: true } }), "macp.mode.task.v1"],
  [
    handoffPolicy(options, { acceptance: { implicit_accept_timeout_ms: 500 } }),
    "macp.mode.handoff.v1",
  ],
  [quorumPolicy(options, { threshold: { type: "percentage", value: 60 } }), "macp.mode.quorum.v1"],
])("%o is for its mode", (policy, mode) => {
  expect(policy.mode).toBe(mode);
  expect(createPolicyRegistry().register(policy)).toEqual({ ok: true });
});

describe("what nobody can mean is refused", () => {
  const expectRefused = (build: () => unknown) => {
    expect(build).toThrow(AgentKeysError);
    expect(build).toThrow(expect.objectContaining({ code: "config_invalid" }));
  };
  test.each<[string, unknown]>([
    ["an algorithm that does not exist", { voting: { algorithm: "quadratic" } }],
    ["a threshold of 0", { voting: { algorithm: "majority", threshold: 0 } }],
    ["a threshold above 1", { voting: { algorithm: "majority", threshold: 1.1 } }],
    ["a threshold that is no number", { voting: { threshold: Number.NaN } }],
    ["a minority that wins", { voting: { algorithm: "majority", threshold: 0.4 } }],
    ["a supermajority of half", { voting: { algorithm: "supermajority", threshold: 0.5 } }],
    ["weights without weights", { voting: { algorithm: "weighted" } }],
    ["a weight of 0", { voting: { algorithm: "weighted", weights: { alice: 0 } } }],
    ["a negative weight", { voting: { algorithm: "weighted", weights: { alice: -1 } } }],
    ["an infinite weight", { voting: { algorithm: "weighted", weights: { alice: Infinity } } }],
    ["more than everybody", { voting: { quorum: { type: "percentage", value: 101 } } }],
    [
      "a kind of quorum that does not exist",
      { voting: { quorum: { type: "weighted", value: 1 } } },
    ],
    ["a rule that does not exist", { voting: { treshold: 0.6 } }],
    ["a group that does not exist", { votes: {} }],
    ["an authority that does not exist", { commitment: { authority: "anybody" } }],
    ["a role without people", { commitment: { authority: "designated_role" } }],
    [
      "an action that does not exist",
      { objection_handling: { critical_objection_action: "shout" } },
    ],
  ])("%s", (_, rules) => expectRefused(() => decisionPolicy(options, rules as DecisionPolicy)));

  test.each([0, -1, 1.5])("a quorum of %d approvals", (value) => {
    const threshold = { type: "n_of_m", value };
    expectRefused(() => quorumPolicy(options, { threshold } as QuorumPolicy));
  });
  test("a quorum of more than everybody", () => {
    expectRefused(() => quorumPolicy(options, { threshold: { type: "percentage", value: 101 } }));
  });
  test("no id", () => expectRefused(() => taskPolicy({ policyId: " " }, {})));
});
