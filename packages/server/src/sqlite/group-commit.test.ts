import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { actor, denied, guardCall, record } from "../store/store-samples.suite.ts";
import type { Store } from "../store/store.ts";
import { openDatabase } from "./database.ts";
import { createSqliteStore, openSqliteStore } from "./sqlite-store.ts";

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-commit-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function storeOn(database: DatabaseSync): Promise<Store> {
  const store = await createSqliteStore(database, Date.now, () => undefined);
  onTestFinished(() => store.close());
  return store;
}

/** The database, and a switch that makes one of its statements fail as a full disk does. */
function breakable(database: DatabaseSync, statement: string) {
  const state = { broken: false, tried: 0 };
  const proxy = new Proxy(database, {
    get(target, name) {
      const value: unknown = Reflect.get(target, name, target);
      if (typeof value !== "function") return value;
      if (name !== "prepare") return value.bind(target) as unknown;
      return (sql: string) => {
        const prepared = target.prepare(sql);
        if (sql !== statement) return prepared;
        return {
          run: () => {
            state.tried += 1;
            if (!state.broken) return prepared.run();
            const message = "database or disk is full: /a/secret/path";
            throw Object.assign(new Error(message), {
              errcode: 13,
              errstr: "database or disk is full",
            });
          },
        };
      };
    },
  });
  return { proxy, state };
}

async function codes(promises: readonly Promise<unknown>[]): Promise<unknown[]> {
  const settled = await Promise.allSettled(promises);
  return settled.map((result) =>
    result.status === "fulfilled" ? "kept" : (result.reason as { code: unknown }).code,
  );
}

test.each(["COMMIT", "BEGIN IMMEDIATE"])(
  "when %s fails the whole batch is refused, nothing is kept, and the next batch goes on",
  async (statement) => {
    const { proxy, state } = breakable(openDatabase(join(scratch(), "a.db")), statement);
    const store = await storeOn(proxy);
    const heard: number[] = [];
    store.subscribe((entries) => heard.push(...entries.map((entry) => entry.seq)));
    await store.append(record(1));
    state.broken = true;
    const blob = Uint8Array.of(1);
    const begun = store.begin(guardCall("b1"), record("intent"));
    const batch = [
      store.append(record(2)),
      store.putMemory({ actor, namespace: "n", blob }, record(3)),
      begun,
    ];
    expect(await codes(batch)).toEqual(batch.map(() => "audit_unavailable"));
    await expect(begun).rejects.toThrow(/^audit_append failed: database or disk is full$/);
    expect(state.tried).toBe(2);
    expect(await store.entriesAfter(1, 10)).toEqual([]);
    expect(await store.memory(actor, "n")).toBeUndefined();
    expect(await store.guardCall("b1", actor)).toBeUndefined();
    state.broken = false;
    expect((await store.append(record(4))).seq).toBe(2);
    expect(heard).toEqual([1, 2]);
  },
);

test("a unit that fails half-way leaves nothing of its own and everything of the others", async () => {
  const database = openDatabase(":memory:");
  database.exec(`
    CREATE TRIGGER too_long BEFORE INSERT ON log WHEN length(new.bytes) > 2000
      BEGIN SELECT raise(ABORT, 'too long'); END;
    CREATE TRIGGER too_late BEFORE INSERT ON revoked_actors
      BEGIN SELECT raise(ABORT, 'too late'); END`);
  const store = await storeOn(database);
  const heard: number[] = [];
  store.subscribe((entries) => heard.push(...entries.map((entry) => entry.seq)));
  const long = record("x".repeat(3000));
  const batch = [
    store.append(record(1)),
    // Fails after its row was written, before its record.
    store.begin(guardCall("b1"), long),
    store.begin(guardCall("b2"), record("intent")),
    // Fails after its record was written, before its row.
    store.revokeActor({ actor, reason: "r", at: 1 }, record("revoked", 41), denied),
    store.append(record(2)),
  ];
  const [kept, refused] = ["kept", "audit_unavailable"];
  expect(await codes(batch)).toEqual([kept, refused, kept, refused, kept]);
  expect(await store.guardCall("b1", actor)).toBeUndefined();
  expect(await store.guardCall("b2", actor)).toBeDefined();
  expect((await store.entriesAfter(0, 10)).map((entry) => entry.seq)).toEqual([1, 2, 3]);
  expect(heard).toEqual([1, 2, 3]);
});

test("a database that may not grow refuses, keeps what it has, and recovers", async () => {
  const database = openDatabase(join(scratch(), "a.db"));
  const store = await storeOn(database);
  await store.append(record("before"));
  const pages = Number(database.prepare("PRAGMA page_count").get()?.["page_count"]);
  database.exec(`PRAGMA max_page_count = ${pages + 40}`);
  const ids = Array.from({ length: 400 }, (_, i) => `b${i}`);
  const results: unknown[] = [];
  while (results.length < ids.length) {
    const batch = ids.slice(results.length, results.length + 20);
    const long = record("x".repeat(500));
    results.push(...(await codes(batch.map((id) => store.begin(guardCall(id), long)))));
  }
  expect(new Set(results)).toEqual(new Set(["kept", "audit_unavailable"]));
  const kept = results.filter((result) => result === "kept").length;
  const seqs = (await store.entriesAfter(0, 1000)).map((entry) => entry.seq);
  expect(seqs).toEqual(Array.from({ length: kept + 1 }, (_, i) => i + 1));
  const found = await Promise.all(ids.map((id) => store.guardCall(id, actor)));
  expect(found.map((call) => call !== undefined)).toEqual(results.map((r) => r === "kept"));
  database.exec("PRAGMA max_page_count = 100000");
  expect((await store.append(record("after"))).seq).toBe(kept + 2);
});

test.skipIf(process.platform === "win32")(
  "a file system that takes no more bytes refuses the record and loses none",
  async () => {
    const data = scratch();
    const store = new URL("sqlite-store.ts", import.meta.url).href;
    // `ulimit -f` is in blocks of 512 bytes or more; Node.js ignores the signal, so the write fails with EFBIG.
    const program = `
      import { openSqliteStore } from ${JSON.stringify(store)};
      const store = await openSqliteStore({ data: ${JSON.stringify(data)} });
      const envelope = (op_body) => ({ ...${JSON.stringify(record(""))}, op_body });
      let kept = 0;
      try {
        for (;;) {
          await Promise.all(Array.from({ length: 20 }, (_, i) => store.append(envelope("x".repeat(400) + i))));
          kept += 20;
        }
      } catch ({ code, message }) {
        const log = await store.entriesAfter(0, 100000);
        console.log(JSON.stringify({ kept, code, message, log: log.length }));
      }
      process.exit(0);`;
    const args = [
      "-c",
      'ulimit -f 800; exec "$0" "$@"',
      process.execPath,
      "--conditions=@agentkeys/source",
    ];
    const child = spawnSync("sh", [...args, "--input-type=module", "-e", program], {
      encoding: "utf8",
    });
    expect(child.stderr).not.toContain("Error");
    const { kept, code, message, log } = JSON.parse(child.stdout) as Record<string, unknown>;
    expect(code).toBe("audit_unavailable");
    expect(message).toMatch(/^audit_append failed: [a-zA-Z /]+$/);
    expect(kept).toBeGreaterThan(0);
    expect(log).toBe(kept);
    const again = await openSqliteStore({ data });
    onTestFinished(() => again.close());
    expect((await again.entriesAfter(0, 100_000)).length).toBe(kept);
    expect((await again.append(record("more room"))).seq).toBe(Number(kept) + 1);
  },
);
