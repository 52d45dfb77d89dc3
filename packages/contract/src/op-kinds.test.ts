import { expect, test } from "vitest";
import { isReservedOpKind, opKindName, opKinds, RESULTS } from "./op-kinds.ts";

test("each kind is one byte and has one name, in order", () => {
  const bytes = opKinds.map(({ op_kind }) => op_kind);
  expect(bytes).toEqual([...new Set(bytes)].toSorted((a, b) => a - b));
  expect(bytes.every((byte) => Number.isInteger(byte) && byte >= 0 && byte <= 255)).toBe(true);
  expect(new Set(opKinds.map(({ name }) => name)).size).toBe(opKinds.length);
  expect(opKinds).toHaveLength(42);
});

test("names", () => {
  expect([0, 13, 40, 110, 111, 240].map(opKindName)).toEqual([
    "cred.store",
    "memory.inbox_append",
    "scope.grant",
    "runtime.tool_result",
    "runtime.approval",
    "guard.intent",
  ]);
  expect([3, 250].map(opKindName)).toEqual(["unknown(3)", "unknown(250)"]);
});

test("the guard's own kinds are reserved, and no other", () => {
  const reserved = Array.from({ length: 256 }, (_, byte) => byte).filter(isReservedOpKind);
  expect(reserved).toEqual([110, 111, 240, 241, 242, 243, 244, 245, 246, 247, 248, 249]);
});

test("results", () => {
  expect(RESULTS).toEqual({ Success: 0, Failure: 1, NotPermitted: 2 });
});
