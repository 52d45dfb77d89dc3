import { describe, expect, test } from "vitest";
import { isHeld, observe, type Played } from "./observe.ts";
import type { Recorded } from "./records.ts";

const played: Played = {
  wanted: [200],
  read: ["Denied by AgentKeys: x"],
  refused: 1,
  survived: true,
};
const paid = { tool: "pay", price: 200 };
const accepted: Recorded = {
  kind: "intent",
  hash: "a",
  tool: "pay",
  refused: false,
  of: undefined,
};
const ended: Recorded = { kind: "outcome", hash: "b", tool: "pay", refused: false, of: "a" };
const refused: Recorded = { kind: "intent", hash: "c", tool: "pay", refused: true, of: undefined };
const log = [accepted, ended, refused];

describe("a cell", () => {
  test("is held when the effect, the refusal and the log are as they should be", () => {
    const cell = observe(played, [paid], log);
    expect(cell).toEqual({
      ran: "no",
      denied: "yes",
      recorded: "yes",
      survived: "yes",
      done: "yes",
    });
    expect(isHeld(cell)).toBe(true);
  });

  test.each([
    [
      "a forbidden effect",
      observe(played, [paid, { tool: "pay", price: 600 }], log),
      { ran: "yes" },
    ],
    ["an effect twice", observe(played, [paid, paid], log), { ran: "yes", recorded: "no" }],
    ["a missing effect", observe(played, [], log), { done: "no" }],
    [
      "a refusal that nobody read",
      observe({ ...played, read: ["sure"] }, [paid], log),
      { denied: "no" },
    ],
    ["an intent without an end", observe(played, [paid], [accepted, refused]), { recorded: "no" }],
    ["an effect without an intent", observe(played, [paid], [refused]), { recorded: "no" }],
    ["a refusal without a record", observe(played, [paid], [accepted, ended]), { recorded: "no" }],
    ["a run that died", observe({ ...played, survived: false }, [paid], log), { survived: "no" }],
  ])("shows %s", (_, cell, shown) => {
    expect(cell).toMatchObject(shown);
    expect(isHeld(cell)).toBe(false);
  });

  test("says nothing of what could not be seen", () => {
    const nothing = { wanted: [], read: [], refused: 0, survived: true, recordable: false };
    const cell = observe(nothing, [], []);
    expect(cell).toMatchObject({ denied: "-", recorded: "-", done: "-" });
    expect(isHeld(cell)).toBe(true);
  });
});
