import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { createKernel } from "../kernel/create-kernel.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const rounds = 3;
/** Acknowledged messages after which the process is killed. */
const killAfter = 1500;

const module = (path: string) => JSON.stringify(new URL(path, import.meta.url).href);

/** A process in which 16 sessions are voted on at once; it prints each message that was acknowledged. */
const program = (directory: string) => `
  import { writeSync } from "node:fs";
  import { createKernel } from ${module("../kernel/create-kernel.ts")};
  import { openSqliteStore } from ${module("sqlite-store.ts")};
  import { startEnvelope } from ${module("../kernel/kernel.test-kit.ts")};
  import { toEnvelope } from ${module("../protocol/envelope.ts")};
  import { encodePayload } from ${module("../protocol/payload.ts")};
  const kernel = createKernel({ store: openSqliteStore({ directory: ${JSON.stringify(directory)} }) });
  const mode = "macp.mode.decision.v1";
  await Promise.all(Array.from({ length: 16 }, async () => {
    const sessionId = crypto.randomUUID();
    const send = async (envelope) => {
      const outcome = await kernel.send(envelope);
      if (!outcome.ok) throw new Error(outcome.variant);
      writeSync(1, sessionId + " " + envelope.messageId + "\\n");
    };
    await send(startEnvelope(mode, { sessionId }));
    for (let i = 0; ; i++) {
      const payload = encodePayload("decision", "Proposal", { proposalId: "p" + i, option: "o" });
      await send(toEnvelope({ mode, sessionId, sender: "alice", messageType: "Proposal", payload }));
    }
  }));`;

/** Runs the program until enough is acknowledged, kills it, and returns every acknowledged line. */
async function runAndKill(directory: string): Promise<string[]> {
  const args = ["--conditions=@agentkeys/source", "--input-type=module", "-e", program(directory)];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void child.kill("SIGKILL"));
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) {
    lines.push(line);
    if (lines.length === killAfter) child.kill("SIGKILL");
  }
  expect(lines.length).toBeGreaterThanOrEqual(killAfter);
  return lines.filter((line) => /^[0-9a-f-]{36} [0-9a-f-]{36}$/.test(line));
}

test("kill -9 under load: no acknowledged message is lost, none is stored twice, no lock stays", async () => {
  const directory = mkdtempSync(join(tmpdir(), "macp-crash-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const acknowledged: string[] = [];
  for (let round = 0; round < rounds; round++) {
    acknowledged.push(...(await runAndKill(directory)));
    const kernel = createKernel({ store: openSqliteStore({ directory }), clock: () => 0 });
    expect(kernel.restored).toMatchObject({ sessions: 16 * (round + 1), failed: [] });
    const stored = (await kernel.list()).flatMap(({ sessionId }) =>
      (kernel.history(sessionId) ?? []).map(({ ordinal, envelope }, i) => {
        expect(ordinal).toBe(i + 1);
        return `${sessionId} ${envelope.messageId}`;
      }),
    );
    const kept = new Set(stored);
    expect(kept.size).toBe(stored.length);
    expect(acknowledged.filter((line) => !kept.has(line))).toEqual([]);
    await kernel.close();
  }
  const file = new DatabaseSync(join(directory, "macp.db"));
  onTestFinished(() => file.close());
  expect(file.prepare("PRAGMA integrity_check").get()).toMatchObject({ integrity_check: "ok" });
}, 120_000);
