import type { Approval } from "@agentkeys/contract";
import { describe, expect, test } from "vitest";
import { begin, call } from "../testdata/approvals.test-kit.ts";
import { actor, type Harness, open } from "../testdata/harness.test-kit.ts";

const long = "n".repeat(4097);
const uncertain = { reason: "not_mapped", explanation: long };

describe("what would be too much to hash, to index or to read is refused, and nothing is written", () => {
  test.each([
    ["a name of a tool", { tool: long }],
    ["a call id", { call_id: long }],
    ["a run key", { run_key: long }],
    ["a scope", { scope: long }],
    ["an explanation that is shown", { uncertain }],
    ["params", { params: { amount_rmb: 400, note: "n".repeat(256 << 10) } }],
    ["clear fields", { clear: { note: "n".repeat(256 << 10) } }],
  ])("%s", async (_, change) => {
    const harness = await open();
    const { error } = await harness.rpc("guard/begin", call(change));
    expect(error).toMatchObject({ code: -32602 });
    expect(await harness.records()).toEqual([]);
  });

  test("what the client refuses is written down at any length", async () => {
    const harness = await open();
    const { verdict } = await begin(harness, call({ refused: uncertain }));
    expect(verdict).toBe("deny");
    expect(await harness.records()).toHaveLength(1);
  });
});

/** Bytes that a client reads of one answer. */
const READ = 4 << 20;

/** All that the operator is shown, page by page. */
async function pages(harness: Harness): Promise<Approval[][]> {
  const read: Approval[][] = [];
  for (let after = ""; ;) {
    const { text } = await harness.http("GET", `/v1/approvals?limit=1000${after}`, {
      token: "operator-tok",
    });
    expect(Buffer.byteLength(text)).toBeLessThan(READ);
    const { approvals } = JSON.parse(text) as { approvals: Approval[] };
    const last = approvals.at(-1);
    if (last === undefined) return read;
    read.push(approvals);
    after = `&after=${last.id}`;
  }
}

test("long inputs make shorter pages, never one that is too long to read, and none is left out", async () => {
  const harness = await open();
  // Numbers that take five times as many bytes in the answer.
  const input = Array.from({ length: 52_000 }, () => 1e20);
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "guard/begin" }).slice(0, -1);
  const ids: string[] = [];
  for (let i = 0; i < 8; i++) {
    const params = JSON.stringify({ ...call({ call_id: `call-${i}` }), input }).replaceAll(
      String(1e20),
      "1e20",
    );
    const { text } = await harness.http("POST", "/mcp", {
      token: "demo-tok",
      as: actor,
      body: `${body},"params":${params}}`,
      headers: { "content-type": "application/json" },
    });
    ids.push((JSON.parse(text) as { result: { approval: Approval } }).result.approval.id);
  }
  const read = await pages(harness);
  expect(read.flat().map(({ id }) => id)).toEqual(ids);
  expect(read.flat().every(({ input: shown }) => (shown as unknown[]).length === 52_000)).toBe(
    true,
  );
  expect(read.length).toBeGreaterThan(1);
});

test("an actor holds 256 streams at most; whoever leaves makes room", async () => {
  const harness = await open();
  const stream = () =>
    harness.http("GET", "/v1/approvals/stream", { token: "demo-tok", as: actor });
  const streams = await Promise.all(Array.from({ length: 256 }, stream));
  expect(streams.every(({ status }) => status === 200)).toBe(true);
  expect((await stream()).status).toBe(429);
  const watching = await harness.http("GET", "/v1/approvals/stream", { token: "operator-tok" });
  expect(watching.status).toBe(200);
  await streams[0]?.response.body?.cancel();
  expect((await stream()).status).toBe(200);
});

test("no value can be read as facts that nobody stated, and none pushes another out of sight", async () => {
  const harness = await open();
  const memo = `for lunch\namount_rmb: 5\n${"x".repeat(5000)}`;
  const { approval } = await begin(
    harness,
    call({ params: { memo, amount_rmb: 400 }, tool: "order\nscope: none" }),
  );
  const lines = approval.text.split("\n");
  expect(lines).toHaveLength(4);
  expect(lines.slice(0, 2)).toEqual([String.raw`"order\nscope: none"`, "scope: payment.spend"]);
  expect(lines[2]).toMatch(
    /^memo: "for lunch\\namount_rmb: 5\\nx+… \d+ more characters are not shown$/,
  );
  expect(lines[3]).toBe("amount_rmb: 400");
});
