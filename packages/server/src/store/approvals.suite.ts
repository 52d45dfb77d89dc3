import type { ApprovalRule } from "@agentkeys/contract";
import { expect, test } from "vitest";
import type {
  ApprovalChange,
  ApprovalRow,
  Attempt,
  CallPlan,
  KnownCall,
  NewApproval,
} from "../approvals/approval-store.ts";
import { runKeyOf } from "../approvals/call-key.ts";
import {
  actor,
  denied,
  type Fresh,
  guardCall,
  otherActor,
  record,
  wholeLog,
} from "./store-samples.suite.ts";
import type { Store } from "./store.ts";

const operator = `0x${"0e".repeat(32)}`;
const call = new Uint8Array(32).fill(7);

function approval(id: string, changes: Partial<NewApproval> = {}): NewApproval {
  const who = { actor, operator_omni: operator, tool: "order_food", scope: "payment.spend" };
  const what = { call_id: "call-1", run_key: "t1", input_digest: "d", begin_id: `b-${id}` };
  const digests = { text_digest: "t", digest: "g", policy_version: "v1" };
  const words = { reason: "r", explanation: "e", uncertain: false };
  const times = { created_at: 10, expires_at: 100 };
  const sealed = { shown: new Uint8Array([1]), input: new Uint8Array([2]) };
  const state = { status: "pending", decided: undefined, executed: undefined } as const;
  const named = { id, kind: "guard", call } as const;
  return {
    ...named,
    ...who,
    ...what,
    ...digests,
    ...words,
    ...times,
    ...sealed,
    ...state,
    ...changes,
  };
}

function approve(rule?: ApprovalRule): ApprovalChange {
  const decided = { outcome: "approved", approver: operator, reason: "lunch", at: 20 } as const;
  const change = { status: "approved", decided, record: record("approved", 111) } as const;
  return rule === undefined ? change : { ...change, rule: { rule, record: record("rule", 111) } };
}

function sample(id: string, changes: Partial<ApprovalRule> = {}): ApprovalRule {
  const who = { actor, operator_omni: operator, tool: "order_food", scope: null };
  const what = { match: "tool", for: "actor", approval: "a1", approver: operator } as const;
  return { id, ...who, ...what, reason: "r", created_at: 20, expires_at: 100, ...changes };
}

function attempt(begin_id: string, changes: Partial<Attempt> = {}): Attempt {
  const bound = { grant: undefined, binds: () => true, now: 50, size: 512 };
  return { begin_id, actor, request_digest: "d1", tool: "order_food", call, ...bound, ...changes };
}

/** Meets the call, writes what is given and tells what was known. */
async function meet(
  store: Store,
  begin_id: string,
  more: { attempt?: Partial<Attempt>; write?: Partial<NonNullable<CallPlan["write"]>> } = {},
) {
  let known: Partial<KnownCall> = {};
  const row = guardCall(begin_id, { run_key: "t1" });
  const done = await store.meet(attempt(begin_id, more.attempt), (found) => {
    const { approval: latest, earlier, rules, pending, revoked } = found;
    known = { approval: latest, earlier, rules, pending, revoked };
    return { write: { row, intent: record(begin_id), ...more.write } };
  });
  return { done, known };
}

export function approvalTests(fresh: Fresh): void {
  test("a question is written with its intent, and is found by its call and by its name", async () => {
    const store = await fresh();
    const asked = approval("a1");
    const { done, known } = await meet(store, "b1", { write: { opens: asked } });
    expect(known).toEqual({
      approval: undefined,
      earlier: undefined,
      rules: [],
      pending: 0,
      revoked: false,
    });
    const [intent] = await wholeLog(store);
    expect(done).toMatchObject({ kind: "planned", entry: intent });
    const row = await store.approval("a1");
    expect(row).toMatchObject({ ...asked, intent: intent?.envelope_hash, changed: 1 });
    expect((await meet(store, "b2")).known).toMatchObject({ approval: { id: "a1" }, pending: 1 });
    const elsewhere = { call: new Uint8Array(32).fill(8) };
    const found = async (grant: string, binds = true) =>
      (
        await meet(store, `b-${grant}-${binds}`, {
          attempt: { ...elsewhere, grant, binds: () => binds },
        })
      ).known.approval?.id;
    expect(await found("a1")).toBe("a1");
    expect(await found("a1", false)).toBeUndefined();
    expect(await found("a2")).toBeUndefined();
    expect(await store.approval("a2")).toBeUndefined();
  });

  test("a known begin is answered as it was, whatever the plan says", async () => {
    const store = await fresh();
    await meet(store, "b1", { write: { opens: approval("a1") } });
    const change = { id: "a1", change: denied() };
    for (const request_digest of ["d1", "d2"]) {
      const row = guardCall("b1", { answer: "other", request_digest });
      const plans: CallPlan[] = [{ write: { row, intent: record("x") } }, {}, { expires: change }];
      for (const plan of plans) {
        const { kind } = await store.meet(attempt("b1", { request_digest }), () => plan);
        expect(kind).toBe(request_digest === "d1" ? "repeated" : "conflict");
      }
    }
    await store.endBeforeBegin("b2", actor);
    expect((await meet(store, "b2")).done).toEqual({ kind: "ended_before" });
    expect(await wholeLog(store)).toHaveLength(1);
    expect((await store.approval("a1"))?.status).toBe("pending");
  });

  test("a plan without a call writes nothing but the expiry that it found", async () => {
    const store = await fresh();
    await meet(store, "b1", { write: { opens: approval("a1") } });
    expect(await store.meet(attempt("b2"), () => ({}))).toMatchObject({ entry: undefined });
    expect(await wholeLog(store)).toHaveLength(1);
    await store.meet(attempt("b2"), () => ({ expires: { id: "a1", change: denied() } }));
    expect(await wholeLog(store)).toHaveLength(2);
    expect((await store.approval("a1"))?.status).toBe("denied");
  });

  test("a failing plan leaves nothing behind", async () => {
    const store = await fresh();
    const broken = store.meet(attempt("b1"), () => {
      throw new Error("no plan");
    });
    await expect(broken).rejects.toMatchObject({ code: "audit_unavailable" });
    expect(await wholeLog(store)).toEqual([]);
  });

  test("the attempt that used a grant is remembered, with how it ended", async () => {
    const store = await fresh();
    await meet(store, "b1", { write: { opens: approval("a1") } });
    await meet(store, "b2", { write: { uses: "a1", remembered: true } });
    expect((await store.approval("a1"))?.executed).toEqual({ begin_id: "b2", at: 50 });
    const earlier = async () => (await meet(store, `look-${Math.random()}`)).known.earlier;
    expect(await earlier()).toEqual({ begin_id: "b2", outcome: null, result: undefined });
    const result = { sealed: new Uint8Array([9]), kept_until: 60 };
    const ended = { begin_id: "b2", actor, outcome: "ok", result } as const;
    await store.end(ended, () => record("ended", 110));
    expect(await earlier()).toMatchObject({ outcome: "ok", result: new Uint8Array([9]) });
    const later = await meet(store, "late", { attempt: { now: 60 } });
    expect(later.known.earlier).toMatchObject({ outcome: "ok", result: undefined });
  });

  test("results are kept for calls with a run key or a grant, and forgotten by run", async () => {
    const store = await fresh();
    const end = (begin_id: string, sealed: number) => {
      const result = { sealed: new Uint8Array([sealed]), kept_until: 900 };
      return store.end({ begin_id, actor, outcome: "ok", result }, () => record("end", 110));
    };
    await meet(store, "b1", { write: { remembered: true } });
    await end("b1", 1);
    await store.begin(guardCall("b2"), record("plain"));
    await end("b2", 2);
    expect(await store.forgetResults(runKeyOf(actor, undefined))).toBe(0);
    expect(await store.forgetResults(runKeyOf(actor, "t2"))).toBe(0);
    expect(await store.forgetResults(runKeyOf(otherActor, "t1"))).toBe(0);
    expect(await store.forgetResults(runKeyOf(actor, "t1"))).toBe(1);
    expect((await meet(store, "b3")).known.earlier).toMatchObject({ result: undefined });
    await end("b1", 3);
    await store.forgetOldResults(899);
    expect((await meet(store, "b4")).known.earlier?.result).toEqual(new Uint8Array([3]));
    await store.forgetOldResults(900);
    expect(await store.forgetResults(runKeyOf(actor, "t1"))).toBe(0);
  });

  test("a decision is written with its record and its rule; the input is gone", async () => {
    const store = await fresh();
    await meet(store, "b1", { write: { opens: approval("a1") } });
    expect(await store.changeApproval("none", () => approve())).toBeUndefined();
    const left = await store.changeApproval("a1", () => undefined);
    expect(left).toMatchObject({ approval: { status: "pending", changed: 1 }, entry: undefined });
    const changed = await store.changeApproval("a1", () => approve(sample("r1")));
    const [, decision, remembered] = await wholeLog(store);
    expect(changed).toMatchObject({
      approval: { status: "approved", decided: { reason: "lunch" }, input: undefined, changed: 2 },
      entry: decision,
    });
    expect(remembered).toBeDefined();
    expect(await store.rule("r1")).toEqual(sample("r1"));
    expect((await meet(store, "b2")).known.rules).toEqual([sample("r1")]);
    const other = await meet(store, "b3", { attempt: { tool: "other" } });
    expect(other.known.rules).toEqual([]);
    const late = await meet(store, "b4", { attempt: { now: 100 } });
    expect(late.known.rules).toEqual([]);
  });

  test("a rule is revoked once", async () => {
    const store = await fresh();
    await meet(store, "b1", { write: { opens: approval("a1") } });
    await store.changeApproval("a1", () => approve(sample("r1")));
    const revoke = (at: number) => store.revokeRule("r1", at, record("revoked", 111));
    const both = await Promise.all([revoke(30), revoke(31)]);
    expect(both[0]).toMatchObject({ rule: { revoked_at: 30 }, entry: { seq: 4 } });
    expect(both[1]).toEqual({ rule: both[0]?.rule, entry: undefined });
    expect(await store.revokeRule("none", 1, record(1))).toBeUndefined();
    expect((await meet(store, "b2")).known.rules).toEqual([]);
    expect(await store.rules(operator)).toHaveLength(1);
    expect(await store.rules(undefined)).toHaveLength(1);
    expect(await store.rules(actor)).toEqual([]);
  });

  test("lists are in the order of asking, changes in the order of changing", async () => {
    const store = await fresh();
    for (const id of ["a1", "a2", "a3"]) {
      await store.openApproval(approval(id, { call_id: `c-${id}` }), record(id, 111));
    }
    await store.changeApproval("a1", () => denied());
    const ids = (rows: readonly ApprovalRow[]) => rows.map(({ id }) => id);
    expect(ids(await store.approvals({}))).toEqual(["a1", "a2", "a3"]);
    expect(ids(await store.approvals({}, { after: "a1", limit: 1 }))).toEqual(["a2"]);
    expect(ids(await store.approvals({ status: "pending", tool: "order_food" }))).toEqual([
      "a2",
      "a3",
    ]);
    expect(ids(await store.approvals({ call_id: "c-a3", actor }))).toEqual(["a3"]);
    expect(ids(await store.approvals({ operator_omni: actor }))).toEqual([]);
    const all = await store.approvalChanges(0, {}, 10);
    expect([ids(all.rows), all.head]).toEqual([["a2", "a3", "a1"], 4]);
    const next = await store.approvalChanges(2, { actor }, 1);
    expect([ids(next.rows), next.head]).toEqual([["a3"], 4]);
    expect(await store.approvalChanges(4, {}, 10)).toEqual({ rows: [], head: 4 });
  });

  test("what is overdue is told, and actors are looked up until their last one", async () => {
    const store = await fresh();
    for (const [id, expires_at] of [
      ["a1", 40],
      ["a2", 50],
      ["a3", 60],
    ] as const) {
      await store.openApproval(approval(id, { expires_at }), record(id, 111));
    }
    expect([...(await store.askedActors(50))]).toEqual([[actor, 60]]);
    expect([...(await store.askedActors(60))]).toEqual([]);
    expect(await store.overdueApprovals(39, 9)).toEqual([]);
    expect(await store.overdueApprovals(50, 9)).toEqual(["a1", "a2"]);
    expect(await store.overdueApprovals(50, 1)).toHaveLength(1);
    await store.changeApproval("a1", () => denied());
    expect(await store.overdueApprovals(50, 9)).toEqual(["a2"]);
  });

  test("a revocation ends what its actor waits for, and nobody else's", async () => {
    const store = await fresh();
    for (const [id, who] of [
      ["a1", actor],
      ["a2", actor],
      ["a3", otherActor],
    ] as const) {
      await store.openApproval(approval(id, { actor: who }), record(id, 111));
    }
    await store.changeApproval("a2", () => approve());
    const revocation = { actor, reason: "lost", at: 5 };
    await store.revokeActor(revocation, record("revoked", 41), denied);
    const states = (await store.approvals({})).map(({ status }) => status);
    expect(states).toEqual(["denied", "approved", "pending"]);
    expect(await wholeLog(store)).toHaveLength(6);
    expect((await meet(store, "b1")).known.revoked).toBe(true);
  });
}
