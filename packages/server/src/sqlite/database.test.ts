import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { expect, onTestFinished, test } from "vitest";
import { record } from "../store/store-samples.suite.ts";
import { openDatabase, sqliteWarning } from "./database.ts";
import { schemaVersion } from "./migrate.ts";
import { openSqliteStore } from "./sqlite-store.ts";

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-database-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

async function filled(): Promise<{ data: string; file: string }> {
  const data = scratch();
  const store = await openSqliteStore({ data });
  await Promise.all(Array.from({ length: 500 }, (_, i) => store.append(record(`row ${i}`))));
  await store.close();
  return { data, file: join(data, "authority.db") };
}

async function refusal(data: string): Promise<string> {
  const error: unknown = await openSqliteStore({ data }).then(
    (store) => store.close(),
    (reason: unknown) => reason,
  );
  expect(error).toMatchObject({ code: "config_invalid" });
  return (error as Error).message;
}

function change(file: string, sql: string): void {
  const database = new DatabaseSync(file);
  database.exec(sql);
  database.close();
}

test("a new database is at the newest schema and passes SQLite's full check", async () => {
  const { file } = await filled();
  const database = new DatabaseSync(file);
  onTestFinished(() => database.close());
  expect(database.prepare("PRAGMA user_version").get()).toMatchObject({
    user_version: schemaVersion,
  });
  expect(database.prepare("PRAGMA integrity_check").get()).toMatchObject({ integrity_check: "ok" });
});

test("checkpoints are synced, on macOS through the drive's cache too", () => {
  const database = openDatabase(join(scratch(), "a.db"));
  onTestFinished(() => database.close());
  const set = { journal_mode: "wal", synchronous: 1, fullfsync: 1, checkpoint_fullfsync: 1 };
  for (const [name, value] of Object.entries(set)) {
    expect(database.prepare(`PRAGMA ${name}`).get()).toMatchObject({ [name]: value });
  }
});

test("the log takes no update and no delete, from anybody", async () => {
  const { file } = await filled();
  expect(() => change(file, "UPDATE log SET bytes = x'00' WHERE seq = 1")).toThrow(/append-only/);
  expect(() => change(file, "DELETE FROM log WHERE seq = 500")).toThrow(/append-only/);
});

test("a newer database is refused by name and stays as it is", async () => {
  const { data, file } = await filled();
  change(file, "PRAGMA user_version = 99");
  const before = readFileSync(file);
  const message = await refusal(data);
  expect(message).toContain(file);
  expect(message).toContain("99");
  expect(readFileSync(file)).toEqual(before);
});

test("a foreign database is refused and stays as it is", async () => {
  const data = scratch();
  const file = join(data, "authority.db");
  change(file, "CREATE TABLE theirs (a); INSERT INTO theirs VALUES (1)");
  const before = readFileSync(file);
  expect(await refusal(data)).toContain(file);
  expect(readFileSync(file)).toEqual(before);
});

test("a file that is no database is refused and stays as it is", async () => {
  const data = scratch();
  const file = join(data, "authority.db");
  writeFileSync(file, "not a database at all\n".repeat(100));
  const before = readFileSync(file);
  expect(await refusal(data)).toContain(file);
  expect(readFileSync(file)).toEqual(before);
});

test.each(["overwritten in the middle", "cut in half"])(
  "a database that was %s is refused",
  async (how) => {
    const { data, file } = await filled();
    const { size } = statSync(file);
    if (how === "cut in half") truncateSync(file, Math.floor(size / 2));
    else {
      const handle = openSync(file, "r+");
      writeSync(handle, Buffer.alloc(4096 * 4, 0xa5), 0, 4096 * 4, 4096 * 8);
      closeSync(handle);
    }
    expect(await refusal(data)).toContain(file);
    // The lock was given back.
    expect(await refusal(data)).toContain(file);
  },
);

test("a data directory that cannot be one is refused by name", async () => {
  const file = join(scratch(), "file");
  writeFileSync(file, "");
  expect(await refusal(join(file, "data"))).toContain(join(file, "data"));
  expect(await refusal(file)).toContain(file);
  const data = scratch();
  mkdirSync(join(data, "lock.db"));
  expect(await refusal(data)).toContain(data);
});

test.skipIf(process.platform === "win32")("nobody else can read the data", async () => {
  const data = join(scratch(), "a", "data");
  const store = await openSqliteStore({ data });
  onTestFinished(() => store.close());
  await store.append(record(1));
  const mode = (path: string) => statSync(path).mode & 0o777;
  expect(mode(data)).toBe(0o700);
  const files = readdirSync(data);
  expect(files).toContain("authority.db-wal");
  expect(files.map((name) => mode(join(data, name)))).toEqual(files.map(() => 0o600));
});

test("an SQLite with the write-ahead bug is warned of", () => {
  for (const version of ["3.51.3", "3.51.10", "3.52.0", "4.0.0"]) {
    expect(sqliteWarning(version)).toBeUndefined();
  }
  for (const version of ["3.51.2", "3.50.4", "3.7.17"]) {
    expect(sqliteWarning(version)).toContain(version);
  }
});
