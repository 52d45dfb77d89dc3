import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { decodeEnvelope, type WireObject } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import { type Answered, call } from "../testdata/approvals.test-kit.ts";
import { actor, operator } from "../testdata/harness.test-kit.ts";
import { serve, type Served } from "../testdata/process.test-kit.ts";

const config = `
vendors: { magiclick: { token: env:VENDOR } }
operators: { "${operator}": { token: env:OPERATOR } }
actors:
  "${actor}":
    operator: "${operator}"
    scopes: { payment.spend: { currency: RMB, per_call: 500, ask_above: 300 } }
`;

function post(url: string, headers: Record<string, string>, json: unknown): Promise<unknown> {
  const all = { "content-type": "application/json", ...headers };
  return fetch(url, { method: "POST", headers: all, body: JSON.stringify(json) }).then((answer) =>
    answer.json(),
  );
}

async function begin({ url }: Served, changes: object): Promise<Answered> {
  const headers = { authorization: "Bearer demo-tok", "x-agentkeys-actor": actor };
  const request = { jsonrpc: "2.0", id: 1, method: "guard/begin", params: call({ ...changes }) };
  return ((await post(url, headers, request)) as { result: Answered }).result;
}

function approve({ base }: Served, { approval }: Answered): Promise<unknown> {
  const json = { digest: approval.digest, reason: "lunch" };
  const headers = { authorization: "Bearer operator-tok" };
  return post(`${base}/v1/approvals/${approval.id}/approve`, headers, json);
}

test("kill -9 before, between and during: what was approved runs once, what was begun never again", async () => {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true, force: true }));
  const file = join(data, "agentkeys.yaml");
  writeFileSync(file, config);
  const env = { VENDOR: "demo-tok", OPERATOR: "operator-tok" };
  const start = () => serve({ data, config: file, surface: "default", env });

  const first = await start();
  const asked = await begin(first, { call_id: "a" });
  await approve(first, asked);
  const waiting = await begin(first, { call_id: "b" });
  await first.stop("SIGKILL");

  const second = await start();
  expect((await begin(second, { call_id: "b" })).approval.id).toBe(waiting.approval.id);
  await approve(second, waiting);
  const flight = Array.from({ length: 20 }, () => begin(second, { call_id: "a" }));
  // The first answer to arrive is durable; the others are cut off.
  const answered = await Promise.any(flight);
  await second.stop("SIGKILL");
  const heard = (await Promise.allSettled(flight)).filter(
    (one) => one.status === "fulfilled" && one.value.verdict === "accept",
  );
  expect(heard.length).toBeLessThanOrEqual(1);
  expect(answered.reason).toMatch(/^(?:approved|outcome_unknown)$/);

  const third = await start();
  expect((await begin(third, { call_id: "a" })).reason).toBe("outcome_unknown");
  expect((await begin(third, { call_id: "b" })).reason).toBe("approved");
  await third.stop("SIGKILL");

  const store = await openSqliteStore({ data });
  onTestFinished(() => store.close());
  const rows = (await store.entriesAfter(0, 1000)).map(({ bytes }) => decodeEnvelope(bytes));
  const ran = rows.filter(({ op_kind, result }) => op_kind === 240 && result === 0);
  expect(ran.map(({ op_body }) => (op_body as WireObject)["call_id"])).toEqual(["a", "b"]);
});
