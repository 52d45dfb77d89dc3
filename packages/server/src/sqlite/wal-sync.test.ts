import { mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setImmediate as turn } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { openDatabase } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { Log } from "./log.ts";
import { openWalSync, type Sync } from "./wal-sync.ts";

/** A group commit whose disk answers when it is told to. */
function opened() {
  const database = openDatabase(":memory:");
  onTestFinished(() => database.close());
  const waiting: ((error: Error | null) => void)[] = [];
  const disk = {
    later: (done) => void waiting.push(done),
    now: () => undefined,
    close: () => undefined,
  } satisfies Sync;
  const log = new Log(database);
  const heard: number[] = [];
  log.subscribe((entries) => heard.push(...entries.map((entry) => entry.seq)));
  const commit = new GroupCommit(database, log, disk);
  const answered: number[] = [];
  const append = async (n: number): Promise<void> => {
    const bytes = Uint8Array.of(n);
    await commit.submit(1, () => log.append({ bytes, hash: new Uint8Array(32).fill(n) }));
    answered.push(n);
  };
  const readable = () => log.entriesAfter(0, 10).map((entry) => entry.seq);
  return { append, answered, commit, disk, heard, readable, waiting };
}

const settled = (promises: readonly Promise<unknown>[]) => Promise.allSettled(promises);

test("nothing is answered, read or heard before its sync", async () => {
  const { append, answered, heard, readable, waiting } = opened();
  const first = [append(1), append(2)];
  await turn();
  const second = [append(3), append(4)];
  await turn();
  expect([waiting.length, answered, heard, readable()]).toEqual([1, [], [], []]);
  waiting[0]?.(null);
  await Promise.all(first);
  await turn();
  expect([waiting.length, answered, heard, readable()]).toEqual([2, [1, 2], [1, 2], [1, 2]]);
  waiting[1]?.(null);
  await Promise.all(second);
  const all = [1, 2, 3, 4];
  expect([answered, heard, readable()]).toEqual([all, all, all]);
});

test("after a sync that failed nothing is taken any more", async () => {
  const { append, answered, commit, heard, readable, waiting } = opened();
  const batches = [append(1), append(2)];
  await turn();
  batches.push(append(3));
  waiting[0]?.(Object.assign(new Error("EIO: /a/secret/path"), { code: "EIO" }));
  batches.push(append(4));
  const reason = { code: "audit_unavailable", message: "audit_append failed: EIO" };
  const rejected = { status: "rejected", reason: expect.objectContaining(reason) };
  expect(await settled(batches)).toEqual(batches.map(() => rejected));
  expect([answered, heard, readable()]).toEqual([[], [], []]);
  await commit.close();
});

test("a lone unit whose sync fails is refused too", async () => {
  const { append, disk } = opened();
  disk.now = () => {
    throw Object.assign(new Error("EIO"), { code: "EIO" });
  };
  for (const n of [1, 2]) {
    await expect(append(n)).rejects.toMatchObject({ code: "audit_unavailable" });
  }
});

test("one call after the other leaves the event loop its turns", async () => {
  const { append } = opened();
  const turned = new AbortController();
  setTimeout(() => turned.abort(), 0);
  let n = 0;
  while (!turned.signal.aborted) await append((n += 1) % 250);
  expect(n).toBeGreaterThan(0);
});

test("closing waits for the syncs of what was asked for before", async () => {
  const { append, answered, commit, waiting } = opened();
  const batches = [append(1), append(2)];
  await turn();
  batches.push(append(3), append(4));
  let closed = false;
  const closing = commit.close().then(() => (closed = true));
  await expect(append(5)).rejects.toMatchObject({ code: "audit_unavailable" });
  waiting[0]?.(null);
  await turn();
  expect([closed, answered]).toEqual([false, [1, 2]]);
  waiting[1]?.(null);
  await closing;
  await Promise.all(batches);
  expect(answered).toEqual([1, 2, 3, 4]);
});

test("SQLite keeps the file that is synced: before the first write, and when it starts it anew", () => {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-sync-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const file = join(directory, "a.db");
  // The second time there is nothing left to migrate.
  for (const nonce of ["first", "second"]) {
    const database = openDatabase(file);
    const sync = openWalSync(database, 1 << 20);
    const { ino: before, size } = statSync(`${file}-wal`);
    expect(size).toBe(1 << 20);
    const put = database.prepare("INSERT INTO caps VALUES (?, 'a', 1, NULL)");
    put.run(`${nonce} a`);
    database.exec("PRAGMA wal_checkpoint(RESTART)");
    put.run(`${nonce} b`);
    sync.now();
    expect(statSync(`${file}-wal`)).toMatchObject({ ino: before });
    sync.close();
    database.close();
  }
});
