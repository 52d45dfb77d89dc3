import { randomInt, randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { envelopeHash } from "@agentkeys/contract";
import { Pool } from "undici";
import { expect, onTestFinished, test } from "vitest";
import { createAuthority } from "./authority.ts";
import { actor, operator } from "./testdata/harness.test-kit.ts";
import { serve } from "./testdata/process.test-kit.ts";

const env = { MCP_VENDOR_TOKENS: "magiclick:demo-tok", MCP_DEFAULT_OPERATOR_OMNI: operator };
const headers = {
  authorization: "Bearer demo-tok",
  "x-agentkeys-actor": actor,
  "content-type": "application/json",
};

function directory(): string {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  return data;
}

function begin(): string {
  // Equal records of one second have equal hashes; these differ.
  const call = {
    call_id: randomUUID(),
    tool: "t",
    scope: "memory.read",
    params: {},
    input_digest: `0x${"00".repeat(32)}`,
  };
  const params = { actor, operator_omni: operator, begin_id: randomUUID(), ...call };
  return JSON.stringify({ jsonrpc: "2.0", id: 1, method: "guard/begin", params });
}

/** Begins calls from several clients until the server is gone; gives the hashes that were acknowledged. */
async function load(base: string, acknowledged: Set<string>, enough: () => void): Promise<void> {
  const pool = new Pool(base, { connections: 8 });
  const limit = acknowledged.size + randomInt(20, 200);
  const client = async () => {
    for (;;) {
      const answer = await pool.request({ path: "/mcp", method: "POST", headers, body: begin() });
      const { result } = (await answer.body.json()) as { result: { envelope_hash: string } };
      acknowledged.add(result.envelope_hash);
      if (acknowledged.size > limit) enough();
    }
  };
  await Promise.allSettled(Array.from({ length: 8 }, client));
  await pool.destroy();
}

test(
  "killed twenty times under load: no acknowledged record is lost, and the log reopens",
  { timeout: 120_000 },
  async () => {
    const data = directory();
    const acknowledged = new Set<string>();
    for (let round = 0; round < 20; round++) {
      const server = await serve({ data, surface: "default", env });
      await load(server.base, acknowledged, () => server.child.kill("SIGKILL"));
      expect(await server.stop()).toBe(null);
    }
    // Opening checks the database's integrity.
    const authority = await createAuthority({ data, env });
    onTestFinished(() => authority.close());
    const entries = await authority.records(0, 1_000_000);
    expect(entries.map(({ seq }) => seq)).toEqual(entries.map((_, i) => i + 1));
    const hashes = new Set(entries.map(({ bytes }) => envelopeHash(bytes)));
    expect([...acknowledged].filter((hash) => !hashes.has(hash))).toEqual([]);
    expect(acknowledged.size).toBeGreaterThan(20 * 20);
  },
);

test("a second process on the same directory is told who holds it, and the first goes on", async () => {
  const data = directory();
  const first = await serve({ data, env });
  const second: unknown = await serve({ data, env }).catch((error: unknown) => error);
  expect(String(second)).toContain("the authority ended with 1");
  expect(String(second)).toContain(String(first.child.pid));
  const third = await fetch(`${first.base}/healthz`);
  expect(third.status).toBe(200);
  await first.stop();
  const fourth = await serve({ data, env });
  expect(await fourth.stop()).toBe(0);
});

test.each(["SIGTERM", "SIGINT"] as const)("%s drains and exits 0", async (signal) => {
  const server = await serve({ data: directory(), env });
  expect(await server.stop(signal)).toBe(0);
});
