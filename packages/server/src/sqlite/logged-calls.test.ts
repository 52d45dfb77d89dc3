import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encodeEnvelope, envelopeHash, hexToBytes } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import { actor, guardCall, otherActor, record } from "../store/store-samples.suite.ts";
import type { GuardOutcome, Store } from "../store/store.ts";
import { callRuns } from "./log-runs.ts";
import { migration001 } from "./migration-001.ts";
import { migration002 } from "./migration-002.ts";
import { openSqliteStore } from "./sqlite-store.ts";

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-calls-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const end = (store: Store, begin_id: string, outcome: GuardOutcome) =>
  store.end({ begin_id, actor, outcome }, () => record(`${begin_id} ${outcome}`, 110));

const hashOf = (op_body: string, kind?: number) =>
  envelopeHash(encodeEnvelope(record(op_body, kind)));

/** What is known of each call, by asking again: nothing of this writes a record. */
async function askAgain(store: Store, ids: readonly string[], outcome: GuardOutcome) {
  const answers = ids.map(async (id) => {
    const begun = await store.begin(guardCall(id), record("again"));
    return [begun, await end(store, id, outcome)];
  });
  return Promise.all(answers);
}

test("calls are known in memory, in the run before, in the index and after a restart", async () => {
  const data = scratch();
  let store = await openSqliteStore({ data });
  onTestFinished(() => store.close());
  const ids = Array.from({ length: callRuns.size * 2 }, (_, i) => `b${i}`);
  const ended = (id: string): GuardOutcome => (Number(id.slice(1)) % 3 === 0 ? "error" : "ok");
  const expected = ids.map((id) => {
    const hash = hashOf(`${id} ${ended(id)}`, 110);
    return [
      { kind: "repeated", row: guardCall(id), envelope_hash: hashOf(id) },
      { kind: "repeated", envelope_hash: hash },
    ];
  });
  const known = async () => {
    const ok = await askAgain(store, ids, "ok");
    const error = await askAgain(store, ids, "error");
    return ids.map((id, i) => (ended(id) === "ok" ? ok : error)[i]);
  };
  for (const id of ids) {
    await store.begin(guardCall(id), record(id));
    // Some are suspended first and go on a run or two later.
    await end(store, id, Number(id.slice(1)) % 5 === 0 ? "suspended" : ended(id));
  }
  for (const id of ids) if (Number(id.slice(1)) % 5 === 0) await end(store, id, ended(id));
  expect(await known()).toEqual(expected);
  await store.close();
  store = await openSqliteStore({ data });
  expect(await known()).toEqual(expected);
  // Only what was asked first was written.
  const records = (await store.entriesAfter(0, 10_000)).length;
  expect(records).toBe(ids.length * 2 + ids.filter((_, i) => i % 5 === 0).length);
  await store.close();
  store = await openSqliteStore({ data });
});

test("what a failed transaction took back is not known, at whatever place of a run", async () => {
  const store = await openSqliteStore({ data: ":memory:" });
  onTestFinished(() => store.close());
  const fails = () => {
    throw new Error("no record");
  };
  for (let i = 0; i < callRuns.size + 10; i++) {
    await store.begin(guardCall(`b${i}`), record(i));
    const lost = store.end({ begin_id: `b${i}`, actor, outcome: "error" }, fails);
    const kept = store.begin(guardCall(`c${i}`), record(i));
    await expect(lost).rejects.toThrow("audit_append failed");
    expect((await kept).kind).toBe("begun");
    expect((await end(store, `b${i}`, "ok")).kind).toBe("ended");
    expect((await end(store, `c${i}`, "ok")).kind).toBe("ended");
  }
});

test("a database of the schema before keeps its calls, and what may become of them", async () => {
  const data = scratch();
  const database = new DatabaseSync(join(data, "authority.db"));
  database.exec(`PRAGMA journal_mode = WAL; PRAGMA application_id = 0x414b6579;
    ${migration001}; ${migration002}; PRAGMA user_version = 2`);
  const append = database.prepare("INSERT INTO log (hash, bytes) VALUES (?, ?)");
  const log = (op_body: string, kind?: number): number => {
    const bytes = encodeEnvelope(record(op_body, kind));
    return Number(append.run(hexToBytes(envelopeHash(bytes)), bytes).lastInsertRowid);
  };
  const insert = database.prepare(`
    INSERT INTO guard_calls (begin_id, actor, operator_omni, request_digest, tool, call_id, run_key, verdict, answer,
      intent_seq, outcome, outcome_seq)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`);
  const rows = {
    open: guardCall("open", { run_key: "thread" }),
    ended: guardCall("ended"),
    suspended: guardCall("suspended"),
    denied: guardCall("denied", { verdict: "deny" }),
  };
  for (const [id, row] of Object.entries(rows)) {
    const { begin_id, operator_omni, request_digest, tool, call_id, verdict, answer } = row;
    const outcome = { open: null, ended: "ok", suspended: "suspended", denied: null }[id] ?? null;
    const intent = log(id);
    const told = outcome && log(`${id} ${outcome}`, 110);
    const who = [begin_id, actor, operator_omni, request_digest] as const;
    const what = [tool, call_id, row.run_key ?? null, verdict, JSON.stringify(answer)] as const;
    insert.run(...who, ...what, intent, outcome, told);
  }
  database
    .prepare("INSERT INTO guard_calls (begin_id, actor, noted_at) VALUES ('noted', ?, ?)")
    .run(actor, Date.now());
  database.close();

  for (const time of ["first", "second"]) {
    const store = await openSqliteStore({ data });
    for (const [id, row] of Object.entries(rows)) {
      expect(await store.begin(row, record(time))).toEqual({
        kind: "repeated",
        row,
        envelope_hash: hashOf(id),
      });
    }
    expect((await store.begin(guardCall("noted"), record(1))).kind).toBe("ended_before");
    expect(await store.guardCall("open", otherActor)).toBeUndefined();
    expect((await end(store, "denied", "ok")).kind).toBe("refused");
    const again = { kind: "repeated", envelope_hash: hashOf("ended ok", 110) };
    expect(await end(store, "ended", "ok")).toEqual(again);
    expect((await end(store, "ended", "error")).kind).toBe("conflict");
    for (const id of ["open", "suspended"]) {
      expect((await end(store, id, "ok")).kind).toBe(time === "first" ? "ended" : "repeated");
    }
    await store.close();
  }
});
