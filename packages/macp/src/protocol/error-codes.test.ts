import { isErrorCode } from "@agentkeys/contract";
import { status } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { grpcStatus, macpErrors, refusalVariants, toMacpErrorCode } from "./error-codes.ts";

test("the numbers are gRPC's", () => {
  const theirs = Object.fromEntries(Object.entries(status).filter(([key]) => !/^\d+$/.test(key)));
  expect(grpcStatus).toEqual(theirs);
});

test("every code has an AgentKeys code, and every variant a code", () => {
  expect(Object.values(macpErrors).filter(({ code }) => !isErrorCode(code))).toEqual([]);
  expect(Object.values(refusalVariants).filter((code) => !(code in macpErrors))).toEqual([]);
});

test("only what passes by itself is worth another try", () => {
  const retried = Object.entries(macpErrors).filter(([, { retry }]) => retry);
  expect(retried.map(([code]) => code)).toEqual(["RATE_LIMITED", "INTERNAL_ERROR"]);
});

test.each([
  ["FORBIDDEN", "FORBIDDEN"],
  ["FORBIDDEN: not a participant", "FORBIDDEN"],
  ["Forbidden", "FORBIDDEN"],
  ["PolicyDenied: no votes", "POLICY_DENIED"],
  ["TtlExpired", "SESSION_NOT_OPEN"],
  ["SessionAlreadyExists", "SESSION_ALREADY_EXISTS"],
  ["INVALID_REQUEST: no versions", undefined],
  ["forbidden", undefined],
  ["toString", undefined],
  ["", undefined],
])("%s is %s", (text, code) => {
  expect(toMacpErrorCode(text)).toBe(code);
});
