import { expect, test } from "vitest";
import type { MockAuthority } from "./mock-authority.ts";
import "./vitest.ts";

declare const authority: MockAuthority;

test("what can be asked of a log", () => {
  expect(authority.log()).toHaveRecorded({ tool: "order_food", verdict: "deny" });
  expect(authority).not.toHaveRecorded({ tool: /^order_/, clear: { dish: "soup" }, scope: null });
  expect(authority.log()).toHaveDenied("order_food");
  expect(authority.log()).toHaveDenied({ tool: "order_food", reason: expect.any(String) });
  // @ts-expect-error no record has such a field
  expect(authority.log()).toHaveRecorded({ tol: "order_food" });
  // @ts-expect-error no verdict has this name
  expect(authority.log()).toHaveRecorded({ verdict: "denied" });
  // @ts-expect-error a denial's verdict is known
  expect(authority.log()).toHaveDenied({ verdict: "accept" });
});
