import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { expect, onTestFinished, test } from "vitest";
import { openWorld } from "../sessions/worlds.test-kit.ts";

async function program(bootstrap: object) {
  const folder = await mkdtemp(join(tmpdir(), "macp-participant-"));
  const path = join(folder, "bootstrap.json");
  await writeFile(path, JSON.stringify(bootstrap));
  const script = join(import.meta.dirname, "participant-process.test-kit.ts");
  const child = spawn(process.execPath, ["--conditions=@agentkeys/source", script], {
    env: { ...process.env, MACP_BOOTSTRAP_FILE: path },
    stdio: ["ignore", "pipe", "inherit"],
  });
  const exited = once(child, "exit");
  onTestFinished(async () => {
    child.kill("SIGKILL");
    await exited;
    await rm(folder, { recursive: true });
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const line = async () => String((await lines.next()).value);
  return { line, code: async () => Number((await exited)[0]) };
}

test("two programs decide with the initiator, and exit when it is over; a third is told to stop", async () => {
  const { client, runtime } = openWorld();
  const { target } = await runtime.listen({ allowInsecure: true });
  const participants = ["ann", "bob", "cid"];
  await using session = await client.decision.start({ participants, ttlMs: 60_000 });
  await using idle = await client.decision.start({ participants, ttlMs: 60_000 });
  const bootstrap = (name: string, session_id: string) => ({
    participant_id: name,
    agent_id: name,
    session_id,
    mode: session.mode,
    runtime_url: `http://${target}`,
    allow_insecure: true,
  });
  const [bob, cid, third] = await Promise.all([
    program(bootstrap("bob", session.id)),
    program(bootstrap("cid", session.id)),
    program({ ...bootstrap("bob", idle.id), cancel_callback: { port: 0, path: "/over" } }),
  ]);

  await session.propose("p", "ship");
  await session.until(({ state }) => state.votes.get("p")?.size === 2);
  expect(session.projection.majorityWinner()).toBe("p");
  await session.commit({ action: "p.selected", authorityScope: "s", reason: "r" });
  for (const one of [bob, cid]) {
    expect([await one.line(), await one.line(), await one.code()]).toEqual([
      "ready",
      "resolved",
      0,
    ]);
  }

  const url = await third.line();
  const answer = await fetch(url, { method: "POST", body: '{"runId":"r1","reason":"enough"}' });
  expect([new URL(url).pathname, answer.status]).toEqual(["/over", 200]);
  expect([await third.line(), await third.code()]).toEqual(["stopped", 0]);
});
