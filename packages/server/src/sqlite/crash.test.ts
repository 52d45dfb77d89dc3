import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { record } from "../store/store-samples.suite.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const ROUNDS = 4;
/** Acknowledged records after which the process is killed. */
const KILL_AFTER = 1500;

/** A process that writes records and guarded calls, 32 at a time, and prints each one that was acknowledged. */
const program = (data: string) => `
  import { writeSync } from "node:fs";
  import { openSqliteStore } from ${JSON.stringify(new URL("sqlite-store.ts", import.meta.url).href)};
  const store = await openSqliteStore({ data: ${JSON.stringify(data)} });
  const envelope = (op_body) => ({ ...${JSON.stringify(record(""))}, op_body });
  const told = ({ seq, envelope_hash }) => writeSync(1, seq + " " + envelope_hash + "\\n");
  const run = String(process.pid);
  await Promise.all(Array.from({ length: 32 }, async (_, worker) => {
    for (let i = 0; ; i++) {
      const begin_id = [run, worker, i].join("-");
      const { actor_omni: actor, operator_omni } = envelope("");
      const call = { begin_id, actor, operator_omni, request_digest: "d", tool: "t", call_id: "c", run_key: undefined, verdict: "accept", answer: "{}" };
      told((await store.begin(call, envelope("intent " + begin_id))).entry);
      told((await store.end({ begin_id, actor, outcome: "ok" }, () => envelope("outcome " + begin_id))).entry);
      told(await store.append(envelope(begin_id)));
    }
  }));`;

/** Runs the program until enough is acknowledged, kills it, and returns every acknowledged line. */
async function writeAndKill(
  data: string,
  during: (pid: number) => Promise<void>,
): Promise<string[]> {
  const args = ["--conditions=@agentkeys/source", "--input-type=module", "-e", program(data)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === KILL_AFTER / 2) await during(child.pid ?? 0);
    if (lines.length === KILL_AFTER) child.kill("SIGKILL");
  }
  expect(child.signalCode ?? "SIGKILL").toBe("SIGKILL");
  expect(lines.length).toBeGreaterThanOrEqual(KILL_AFTER);
  return lines.filter((line) => /^\d+ 0x[0-9a-f]{64}$/.test(line));
}

test("kill -9 loses nothing that was acknowledged and leaves no lock", async () => {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-crash-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const acknowledged = new Map<number, string>();
  for (let round = 0; round < ROUNDS; round++) {
    const lines = await writeAndKill(data, async (pid) => {
      const second = openSqliteStore({ data });
      await expect(second).rejects.toMatchObject({ code: "config_invalid" });
      await expect(second).rejects.toThrow(new RegExp(`process ${pid}, since \\d{4}-`));
    });
    for (const line of lines) {
      const [seq, hash = ""] = line.split(" ");
      acknowledged.set(Number(seq), hash);
    }
    const store = await openSqliteStore({ data });
    const log = await store.entriesAfter(0, 10_000_000);
    await store.close();
    expect(log.map((entry) => entry.seq)).toEqual(log.map((_, i) => i + 1));
    const hashes = new Map(log.map((entry) => [entry.seq, entry.envelope_hash]));
    const lost = [...acknowledged].filter(([seq, hash]) => hashes.get(seq) !== hash);
    expect(lost).toEqual([]);
  }
  expect(acknowledged.size).toBeGreaterThanOrEqual(ROUNDS * KILL_AFTER);

  const database = new DatabaseSync(join(data, "authority.db"));
  onTestFinished(() => database.close());
  expect(database.prepare("PRAGMA integrity_check").get()).toMatchObject({ integrity_check: "ok" });
  const strayed = database.prepare(`
    SELECT count(*) AS n FROM calls
    LEFT JOIN log i ON i.seq = intent_seq AND i.begin_id = calls.begin_id AND i.call IS NOT NULL
    LEFT JOIN log o ON o.seq = outcome_seq AND o.begin_id = calls.begin_id AND o.outcome IS NOT NULL
    WHERE i.seq IS NULL OR (o.seq IS NULL) <> (outcome_seq IS NULL)`);
  expect(strayed.get()).toMatchObject({ n: 0 });
});
