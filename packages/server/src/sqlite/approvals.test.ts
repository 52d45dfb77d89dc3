import type { DatabaseSync } from "node:sqlite";
import { expect, test } from "vitest";
import type { ApprovalFilter } from "../approvals/approval-store.ts";
import { createApprovals } from "./approvals.ts";
import { openDatabase } from "./database.ts";

/** How SQLite finds the rows of what was prepared since the last call. */
function planner() {
  const database = openDatabase(":memory:");
  const prepared: string[] = [];
  const prepare = (sql: string) => {
    prepared.push(sql);
    return database.prepare(sql);
  };
  const approvals = createApprovals({ prepare } as unknown as DatabaseSync);
  const plans = () =>
    prepared
      .splice(0)
      .filter((sql) => sql.startsWith("SELECT"))
      .flatMap((sql) => database.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
      .map(({ detail }) => String(detail));
  return { approvals, plans };
}

test("no look at what waits, or at one call, walks through what was decided long ago", () => {
  const { plans } = planner();
  const found = plans();
  expect(found).toContain("SEARCH approvals USING INDEX approvals_actor (actor=? AND status=?)");
  expect(found.filter((plan) => plan.startsWith("SCAN"))).toEqual([]);
});

const lists: [ApprovalFilter, string][] = [
  [{ actor: "a", status: "pending" }, "approvals_actor (actor=? AND status=? AND rowid>?)"],
  [
    { actor: "a", tool: "t", call_id: "c", run_key: "r", input_digest: "d", status: "pending" },
    "approvals_call_id (call_id=? AND actor=? AND rowid>?)",
  ],
  [
    { actor: "a", run_key: "r", status: "pending" },
    "approvals_run (run_key=? AND actor=? AND rowid>?)",
  ],
  [{ operator_omni: "o", run_key: "r" }, "approvals_run (run_key=?)"],
  [
    { operator_omni: "o", status: "pending" },
    "approvals_operator (operator_omni=? AND status=? AND rowid>?)",
  ],
];

test.each(lists)("a list of %j is found by its index", (filter, index) => {
  const { approvals, plans } = planner();
  plans();
  approvals.list(filter, {});
  expect(plans()[0]).toBe(`SEARCH approvals USING INDEX ${index}`);
});

const changes: [ApprovalFilter, string][] = [
  [{ operator_omni: "o", status: "pending" }, "approvals_waiting (changed>?)"],
  [{ actor: "a", status: "pending" }, "approvals_waiting (changed>?)"],
  [{ actor: "a", call_id: "c" }, "approvals_actor_changed (actor=? AND changed>?)"],
  [{ operator_omni: "o" }, "approvals_changed (changed>?)"],
];

test.each(changes)("the changes of %j are found by their index", (filter, index) => {
  const { approvals, plans } = planner();
  plans();
  approvals.changes(0, filter, 32);
  expect(plans()[0]).toBe(`SEARCH approvals USING INDEX ${index}`);
});
