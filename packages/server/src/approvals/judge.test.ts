import type { ApprovalRule } from "@agentkeys/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { ApprovalRow, KnownCall } from "./approval-store.ts";
import { judge, type Question } from "./judge.ts";

const statuses = ["pending", "approved", "denied", "withdrawn", "expired"] as const;
const outcomes = ["ok", "error", "aborted", "not_run", "suspended"] as const;

const question: fc.Arbitrary<Question> = fc.record({
  verdict: fc.constantFrom("accept" as const, "ask_parent" as const),
  reason: fc.constant("policy"),
  explanation: fc.constant(""),
  run_key: fc.constantFrom(undefined, "t1", "t1#a", "t2"),
  scope: fc.constantFrom("a", null),
  operator_omni: fc.constantFrom("o", "o2"),
  input_digest: fc.constantFrom("d1", "d2"),
  policy_version: fc.constantFrom("v1", "v2"),
  begin_id: fc.constant("new"),
  uncertain: fc.boolean(),
  together: fc.boolean(),
  idempotent: fc.boolean(),
  may_ask: fc.boolean(),
  now: fc.constantFrom(1, 2),
});

const approval = fc.record({
  id: fc.constant("apr"),
  actor: fc.constant("actor"),
  status: fc.constantFrom(...statuses),
  scope: fc.constantFrom("a", null),
  policy_version: fc.constantFrom("v1", "v2"),
  expires_at: fc.constantFrom(2, 3),
  executed: fc.constantFrom(undefined, { begin_id: "b1", at: 1 }, { begin_id: "b2", at: 1 }),
  decided: fc.constant(undefined),
}) as unknown as fc.Arbitrary<ApprovalRow>;

const rule = fc.record({
  id: fc.constant("rule"),
  operator_omni: fc.constant("o"),
  scope: fc.constantFrom("a", null),
  match: fc.constantFrom("tool", "input"),
  for: fc.constantFrom("thread", "actor"),
  input_digest: fc.constant("d1"),
  thread: fc.constant("t1"),
  approver: fc.constant("o"),
  expires_at: fc.constantFrom(2, 3),
}) as unknown as fc.Arbitrary<ApprovalRule>;

const known: fc.Arbitrary<KnownCall> = fc.record({
  approval: fc.option(approval, { nil: undefined }),
  earlier: fc.option(
    fc.record({
      begin_id: fc.constantFrom("b1", "b2"),
      outcome: fc.constantFrom(null, ...outcomes),
      result: fc.constantFrom(undefined, new Uint8Array()),
    }),
    { nil: undefined },
  ),
  rules: fc.array(rule, { maxLength: 2 }),
  pending: fc.constantFrom(0, 256),
  revoked: fc.boolean(),
});

/** Why the call may run: an unused grant, a rule that covers it, or the policy; undefined = it may not. */
function basis(asked: Question, found: KnownCall): Set<string> {
  const { run_key, now } = asked;
  const { earlier, approval: grant, revoked } = found;
  const failed = earlier?.outcome === "error" || earlier?.outcome === "aborted";
  const effectUnknown = earlier?.outcome === null || (failed && earlier?.result === undefined);
  const again =
    (effectUnknown && asked.idempotent) ||
    earlier?.outcome === "not_run" ||
    earlier?.outcome === "suspended";
  if (run_key !== undefined && earlier !== undefined && !again) return new Set();
  const own = grant?.executed === undefined || grant.executed.begin_id === earlier?.begin_id;
  const inTime = (grant?.expires_at ?? 0) > now || earlier?.outcome === "suspended";
  const bound = grant?.scope === asked.scope && grant.policy_version === asked.policy_version;
  const granted = !revoked && grant?.status === "approved" && own && inTime && bound;
  const covering = found.rules.filter(
    (one) =>
      one.expires_at > now &&
      one.scope === asked.scope &&
      one.operator_omni === asked.operator_omni &&
      (one.match === "tool" || asked.input_digest === "d1") &&
      (one.for === "actor" || run_key?.split("#")[0] === "t1"),
  );
  const ruled = !revoked && !asked.uncertain && !asked.together && covering.length > 0;
  const may = { apr: granted, rule: ruled, policy: asked.verdict === "accept" };
  return new Set(Object.entries(may).flatMap(([name, holds]) => (holds ? [name] : [])));
}

test("nothing runs that the policy, a person or a rule does not let run now", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(question, known, (asked, found) => {
      const judgement = judge(asked, found);
      if (judgement.do === "ask") return !found.revoked;
      if (judgement.do !== "run") return true;
      const given = judgement.uses ?? judgement.rule ?? "policy";
      seen.add(given);
      return basis(asked, found).has(given);
    }),
    { numRuns: 20_000 },
  );
  expect([...seen].toSorted()).toEqual(["apr", "policy", "rule"]);
});
