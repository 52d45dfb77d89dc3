import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { describe, expect, onTestFinished, test } from "vitest";
import { createKernel } from "../kernel/create-kernel.ts";
import { createBench, epoch, startEnvelope } from "../kernel/kernel.test-kit.ts";
import { modeTable } from "../protocol/mode-table.ts";
import { newSessionId } from "../protocol/ids.ts";
import { encodePayload } from "../protocol/payload.ts";
import { openSqliteStore } from "./sqlite-store.ts";
import { storeSuite } from "./store.suite.ts";

const { mode } = modeTable.decision;

function folder(): string {
  const directory = mkdtempSync(join(tmpdir(), "macp-store-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return join(directory, "data");
}

describe("sqlite", () => {
  storeSuite(() => {
    const directory = folder();
    const store = openSqliteStore({ directory });
    const reopen = () => {
      store.close();
      return openSqliteStore({ directory });
    };
    return { store, reopen };
  });
});

test("nothing is answered, published or read before it is durable", async () => {
  const store = openSqliteStore({ directory: folder() });
  const { kernel } = createBench({ store });
  const sessionId = newSessionId();
  const heard: number[] = [];
  kernel.watchSession(sessionId, ({ ordinal }) => heard.push(ordinal));
  kernel.watchSessions(({ kind }) => heard.push(kind.length));
  const answer = kernel.send(startEnvelope(mode, { sessionId }));
  const looked = kernel.get(sessionId);
  let answered = false;
  void answer.then(() => (answered = true));
  void looked.then(() => (answered = true));
  for (let i = 0; i < 50; i++) await Promise.resolve();
  expect([answered, heard, kernel.history(sessionId)]).toEqual([false, [], []]);
  expect(kernel.peek(sessionId)?.state).toBe("Open");
  expect(await answer).toMatchObject({ ok: true });
  expect(await looked).toMatchObject({ sessionId });
  expect(heard).toEqual([1, "CREATED".length]);
  expect(kernel.history(sessionId)).toHaveLength(1);
  await kernel.close();
});

test("everything that is in flight shares one commit", async () => {
  const commits: number[] = [];
  const store = openSqliteStore({
    directory: folder(),
    onCommit: (entries) => commits.push(entries),
  });
  const { kernel, open } = createBench({ store });
  const sessions = await Promise.all(Array.from({ length: 16 }, () => open("decision")));
  expect(commits).toEqual([16]);
  const proposal = (proposalId: string) => ({ proposalId, option: "o" });
  const sent = sessions.flatMap(({ say }) =>
    Array.from({ length: 4 }, (_, i) => say("alice", "Proposal", proposal(`p${i}`))),
  );
  // Refused messages and reads wait with the rest and write nothing.
  const refused = sessions.map(({ say }) => say("alice", "Proposal", proposal("p0")));
  expect(new Set(await Promise.all(sent))).toEqual(new Set(["ok"]));
  expect(new Set(await Promise.all(refused))).toEqual(new Set(["InvalidPayload"]));
  expect(commits).toEqual([16, 64]);
  await kernel.close();
});

test("what is in flight at the end is committed by close", async () => {
  const directory = folder();
  const { kernel } = createBench({ store: openSqliteStore({ directory }) });
  const sessionId = newSessionId();
  const answer = kernel.send(startEnvelope(mode, { sessionId }));
  await kernel.close();
  expect(await answer).toMatchObject({ ok: true });
  const again = createKernel({ store: openSqliteStore({ directory }), clock: () => epoch });
  expect(await again.get(sessionId)).toMatchObject({ state: "Open" });
  await again.close();
});

test("an ended session that memory has let go comes back from the file", async () => {
  const store = openSqliteStore({ directory: folder() });
  const { kernel, open, time } = createBench({ store, limits: { retentionMs: 1000 } });
  const { sessionId, raw } = await open("decision", { envelope: { messageId: "m0" } });
  await kernel.cancel(sessionId, { by: "coordinator", reason: "" });
  time.now += 1001;
  kernel.sweep();
  expect(await kernel.list()).toEqual([]);
  expect(await raw("alice", "Vote", new Uint8Array(), "m0")).toMatchObject({ duplicate: true });
  expect(await kernel.get(sessionId)).toMatchObject({ state: "Cancelled" });
  expect(kernel.history(sessionId)).toHaveLength(1);
  expect(await kernel.send(startEnvelope(mode, { sessionId }))).toMatchObject({
    variant: "SessionAlreadyExists",
  });
  await kernel.close();
});

test("the file forgets what is past its retention", async () => {
  const store = openSqliteStore({ directory: folder() });
  const limits = { retentionMs: 1000, diskRetentionMs: 5000 };
  const { kernel, open, time } = createBench({ store, limits });
  const { sessionId } = await open("decision");
  await kernel.cancel(sessionId, { by: "coordinator", reason: "" });
  time.now += 5000;
  kernel.sweep();
  expect(await kernel.get(sessionId)).toBeDefined();
  time.now += 1;
  kernel.sweep();
  expect(await kernel.get(sessionId)).toBeUndefined();
  await kernel.close();
});

test("what is in flight is more than one commit takes: nobody is answered before the last of it", async () => {
  const commits: number[] = [];
  let looked: Promise<number> | undefined;
  const onCommit = (entries: number) => {
    commits.push(entries);
    // In the middle of it: what memory knows by now is not all stored.
    if (commits.length !== 2) return;
    looked = Promise.resolve()
      .then(() => kernel.get(sessionId))
      .then(() => commits.length);
  };
  const { kernel, open } = createBench({
    store: openSqliteStore({ directory: folder(), onCommit }),
  });
  const { sessionId, say } = await open("decision");
  const sent = Array.from({ length: 2500 }, (_, i) =>
    say("alice", "Proposal", { proposalId: `p${i}`, option: "o" }),
  );
  await Promise.all(sent);
  expect(commits).toEqual([1, 2000, 500]);
  expect(await looked).toBe(3);
  await kernel.close();
});

test("a session whose end is in flight is not let go", async () => {
  const store = openSqliteStore({ directory: folder() });
  const { kernel, open, time } = createBench({ store, limits: { retentionMs: 1000 } });
  const { sessionId } = await open("decision");
  const cancelled = kernel.cancel(sessionId, { by: "coordinator", reason: "" });
  time.now += 1001;
  kernel.sweep();
  expect(kernel.peek(sessionId)?.state).toBe("Cancelled");
  await cancelled;
  await kernel.close();
});

describe("a commit that fails", () => {
  /** A store whose next commits fail, on the database itself. */
  async function failing() {
    const directory = folder();
    openSqliteStore({ directory }).close();
    const file = new DatabaseSync(join(directory, "macp.db"));
    file.exec(`CREATE TRIGGER full BEFORE INSERT ON entry WHEN NEW.message_id = 'bad'
      BEGIN SELECT raise(ABORT, 'disk is full'); END`);
    file.close();
    const store = openSqliteStore({ directory });
    return { ...createBench({ store }), directory };
  }
  const vote = { proposalId: "p1", option: "o" };

  test("keeps nothing of what was in flight, and the sessions go on from what is stored", async () => {
    const { kernel, open, directory } = await failing();
    const [one, two] = [await open("decision"), await open("decision")];
    const heard: string[] = [];
    kernel.watchSession(one.sessionId, ({ envelope }) => heard.push(envelope.messageId));
    const bytes = (proposalId: string) =>
      encodePayload("decision", "Proposal", { ...vote, proposalId });
    const answers = await Promise.all([
      one.raw("alice", "Proposal", bytes("p1"), "good"),
      one.raw("alice", "Proposal", bytes("p2"), "bad"),
      two.raw("alice", "Proposal", bytes("p1"), "also good"),
      one.raw("alice", "Proposal", bytes("p1"), "refused"),
      one.raw("alice", "Proposal", bytes("p1"), "good"),
      kernel.cancel(two.sessionId, { by: "coordinator", reason: "" }),
    ]);
    for (const answer of answers) {
      expect(answer).toMatchObject({ ok: false, variant: "StorageFailed", code: "INTERNAL_ERROR" });
    }
    expect(heard).toEqual([]);
    expect((await one.modeState())["proposals"]).toEqual({});
    expect(await two.state()).toBe("Open");
    expect(await one.raw("alice", "Proposal", bytes("p1"), "good")).toMatchObject({
      ok: true,
      duplicate: false,
    });
    expect(heard).toEqual(["good"]);
    const known = await one.modeState();
    await kernel.close();
    const again = createKernel({ store: openSqliteStore({ directory }), clock: () => epoch });
    expect(again.restored.failed).toEqual([]);
    expect((await again.inspect(one.sessionId))?.modeState).toEqual(known);
    await again.close();
  });

  test("takes with it what waits for the next commit", async () => {
    const { kernel, open } = await failing();
    const { say, raw, modeState } = await open("decision");
    const bytes = encodePayload("decision", "Proposal", vote);
    const first = raw("alice", "Proposal", bytes, "bad");
    const rest = Array.from({ length: 2500 }, (_, i) =>
      say("alice", "Proposal", { proposalId: `q${i}`, option: "o" }),
    );
    expect(await first).toMatchObject({ variant: "StorageFailed" });
    expect(new Set(await Promise.all(rest))).toEqual(new Set(["StorageFailed"]));
    expect((await modeState())["proposals"]).toEqual({});
    await kernel.close();
  });

  test("a session whose start is not stored does not exist", async () => {
    const { kernel } = await failing();
    const sessionId = newSessionId();
    const start = startEnvelope(mode, { sessionId, envelope: { messageId: "bad" } });
    expect(await kernel.send(start)).toMatchObject({ variant: "StorageFailed" });
    expect(await kernel.get(sessionId)).toBeUndefined();
    expect(await kernel.send(startEnvelope(mode, { sessionId }))).toMatchObject({ ok: true });
    await kernel.close();
  });

  test("a look at what is lost sees what is stored", async () => {
    const { kernel, open } = await failing();
    const { sessionId, raw } = await open("decision");
    const lost = raw("alice", "Proposal", encodePayload("decision", "Proposal", vote), "bad");
    const looked = kernel.inspect(sessionId);
    expect(await lost).toMatchObject({ variant: "StorageFailed" });
    expect((await looked)?.modeState).toMatchObject({ phase: "Proposal" });
    await kernel.close();
  });
});

describe("the file", () => {
  test("is one runtime's at a time", () => {
    const directory = folder();
    const store = openSqliteStore({ directory });
    const second = () => openSqliteStore({ directory, waitMs: 0 });
    expect(second).toThrow(expect.objectContaining({ code: "config_invalid" }));
    expect(second).toThrow(/in use by another runtime/);
    store.close();
    openSqliteStore({ directory }).close();
  });
  test("is nobody else's to read", () => {
    const directory = folder();
    openSqliteStore({ directory }).close();
    expect(statSync(directory).mode & 0o777).toBe(0o700);
    expect(statSync(join(directory, "macp.db")).mode & 0o777).toBe(0o600);
  });
  test("of a newer version is left alone", () => {
    const directory = folder();
    openSqliteStore({ directory }).close();
    const file = new DatabaseSync(join(directory, "macp.db"));
    file.exec("PRAGMA user_version = 99");
    file.close();
    expect(() => openSqliteStore({ directory })).toThrow(/newer version/);
  });
  test("that is none is refused", () => {
    const directory = folder();
    openSqliteStore({ directory }).close();
    writeFileSync(
      join(directory, "macp.db"),
      "not a database, and long enough to look at".repeat(20),
    );
    expect(() => openSqliteStore({ directory })).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });
});
