import fc from "fast-check";
import { expect, test } from "vitest";
import { type CastBallot, tally } from "./tally.ts";

const approvers = ["ann", "bob", "cid"];
const approve = (...names: string[]): CastBallot[] =>
  names.map((voter) => ({ voter, choice: "approve" }));
const reject = (...names: string[]): CastBallot[] =>
  names.map((voter) => ({ voter, choice: "reject" }));
const outcome = (ballots: CastBallot[], required = 2) =>
  tally(ballots, { approvers, required }).outcome;

test("enough of the named, and nobody else", () => {
  expect(outcome([])).toBeUndefined();
  expect(outcome(approve("ann"))).toBeUndefined();
  expect(outcome(approve("ann", "bob"))).toBe("approved");
  expect(outcome([...reject("cid"), ...approve("ann", "bob")])).toBe("approved");
  expect(outcome(approve("eve", "mallory", "bridge", "agent"))).toBeUndefined();
});

test("one person is one ballot, however often and in whatever spelling it is cast", () => {
  expect(outcome(approve("ann", "ann", "ann"))).toBeUndefined();
  expect(outcome(approve("ann", "Ann", " ann", "ann ", "ａｎｎ", "ann\u200b"))).toBeUndefined();
  expect(outcome([...reject("ann"), ...approve("ann", "bob")])).toBeUndefined();
});

test("out of reach is denied; a veto is, whatever the others say", () => {
  expect(outcome(reject("ann"))).toBeUndefined();
  expect(outcome(reject("ann", "bob"))).toBe("denied");
  expect(outcome([{ voter: "ann", choice: "abstain" }, ...reject("bob")])).toBe("denied");
  expect(outcome([{ voter: "ann", choice: "veto" }, ...approve("bob", "cid")])).toBe("denied");
  expect(outcome([{ voter: "eve", choice: "veto" }, ...approve("bob", "cid")])).toBe("approved");
});

const ballot = fc.record({
  voter: fc.constantFrom(...approvers, "eve", "Ann", "toString", "__proto__"),
  choice: fc.constantFrom(
    "approve" as const,
    "reject" as const,
    "abstain" as const,
    "veto" as const,
  ),
});

test("approved means: so many different named people whose first ballot approves, and no veto", () => {
  const seen = new Set<string | undefined>();
  fc.assert(
    fc.property(fc.array(ballot), fc.integer({ min: 1, max: 3 }), (ballots, required) => {
      const first = approvers.map((name) => ballots.find(({ voter }) => voter === name)?.choice);
      const approvals = first.filter((choice) => choice === "approve").length;
      const { outcome: got } = tally(ballots, { approvers, required });
      seen.add(got);
      expect(got === "approved").toBe(approvals >= required && !first.includes("veto"));
      const open = first.filter((choice) => choice === undefined).length;
      expect(got === "denied").toBe(approvals + open < required || first.includes("veto"));
    }),
  );
  expect(seen.size).toBe(3);
});

test("what was settled stays settled, whoever votes afterwards", () => {
  const plain = ballot.filter(({ choice }) => choice !== "veto");
  fc.assert(
    fc.property(fc.array(plain), fc.array(plain), (ballots, later) => {
      const before = outcome(ballots);
      fc.pre(before !== undefined);
      expect(outcome([...ballots, ...later])).toBe(before);
    }),
  );
});
