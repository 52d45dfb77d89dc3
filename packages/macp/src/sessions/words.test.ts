import { expect, test } from "vitest";
import { refusalOf } from "../protocol/refusal.ts";
import { toConfidence, toRecommendation, toSeverity, toVote } from "./words.ts";

test("a word in any case has one form on the wire", () => {
  expect(["approve", "Reject", "ABSTAIN"].map(toVote)).toEqual(["APPROVE", "REJECT", "ABSTAIN"]);
  expect(["review", "Block"].map(toRecommendation)).toEqual(["REVIEW", "BLOCK"]);
  expect(["CRITICAL", "low"].map(toSeverity)).toEqual(["critical", "low"]);
  expect([0, 0.5, 1].map(toConfidence)).toEqual([0, 0.5, 1]);
});

test.each([
  () => toVote("yes"),
  () => toVote(""),
  () => toRecommendation("APPROVE "),
  () => toSeverity("urgent"),
  () => toConfidence(1.01),
  () => toConfidence(-0.01),
  () => toConfidence(Number.NaN),
])("what no runtime takes is refused before the wire (%#)", (read) => {
  let thrown: unknown;
  try {
    read();
  } catch (error) {
    thrown = error;
  }
  expect(refusalOf(thrown)?.code).toBe("INVALID_ENVELOPE");
});
