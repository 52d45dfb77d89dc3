import { expect, test } from "vitest";
import { commitmentProblem, outcomeOf, toCommitment } from "./commitment.ts";

const init = { action: "deployment.approved", authorityScope: "release", reason: "all green" };
const hash = `sha256:${"0".repeat(64)}`;

test("a commitment has an id, the default versions, and the outcome that its action says", () => {
  const payload = toCommitment(init);
  expect(payload).toMatchObject({
    ...init,
    modeVersion: "1.0.0",
    configurationVersion: "config.default",
    policyVersion: "",
    outcomePositive: true,
  });
  expect(payload.commitmentId).not.toBe("");
  expect(payload.commitmentId).not.toBe(toCommitment(init).commitmentId);
  expect(commitmentProblem(payload)).toBeUndefined();
});

test.each([
  ["plan.selected", true],
  ["offer.accepted", true],
  ["task.completed", true],
  ["request.approved", true],
  ["plan.rejected", false],
  ["task.failed", false],
  ["offer.declined", false],
  ["plan.approved.later", undefined],
  ["", undefined],
])("the outcome of %s is %s", (action, outcome) => {
  expect(outcomeOf(action)).toBe(outcome);
  expect(toCommitment({ ...init, action }).outcomePositive).toBe(outcome ?? true);
});

test.each([
  [{ action: " " }],
  [{ authorityScope: "" }],
  [{ reason: "\t" }],
  [{ commitmentId: "" }],
  [{ action: "plan.rejected", outcomePositive: true }],
  [{ action: "plan.selected", outcomePositive: false }],
  [{ supersedes: { sessionId: "", commitmentHash: hash } }],
  [{ supersedes: { sessionId: "s", commitmentHash: "" } }],
  [{ supersedes: { sessionId: "s", commitmentHash: hash.toUpperCase() } }],
])("%o is INVALID_ENVELOPE", (wrong) => {
  expect(commitmentProblem(toCommitment({ ...init, ...wrong }))?.code).toBe("INVALID_ENVELOPE");
});

test("an action that does not say may have either outcome, and a commitment may replace another", () => {
  const supersedes = { sessionId: "s", commitmentHash: hash };
  for (const outcomePositive of [true, false]) {
    const payload = toCommitment({ ...init, action: "plan.closed", outcomePositive, supersedes });
    expect(payload.outcomePositive).toBe(outcomePositive);
    expect(commitmentProblem(payload)).toBeUndefined();
  }
});
