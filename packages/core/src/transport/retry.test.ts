import { afterEach, expect, test } from "vitest";
import { createClient } from "../client/client.ts";
import type { Client } from "../client/client-surface.ts";
import {
  broken,
  type Handler,
  hash,
  identity,
  RpcProblem,
  type StandIn,
  standIn,
} from "../../test/stand-in.ts";

const open: (StandIn | Client)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

/** Fails as told for the first `times` calls of a tool, then answers. */
function flaky(times: number, failure: Handler, value: unknown): Handler {
  let calls = 0;
  return (asked, response) => (++calls <= times ? failure(asked, response) : value);
}

const cut = broken["cut before the answer"] as Handler;
const stored = { ok: true, namespace: "n" };
const note = { ...stored, content: "c" };

async function connect(
  handlers: Record<string, Handler>,
): Promise<{ client: Client; server: StandIn }> {
  const server = await standIn(handlers);
  const client = createClient({ url: server.url, ...identity });
  open.push(client, server);
  return { client, server };
}

const ours: Handler = () => {
  throw new RpcProblem(-32602, "missing `begin_id`");
};

test("a read is asked again, at most twice", async () => {
  const { client, server } = await connect({ "agentkeys.memory.get": flaky(2, cut, note) });
  expect(await client.memory.get({ namespace: "n" })).toEqual(note);
  expect(server.asked).toHaveLength(3);
  server.handlers["agentkeys.memory.get"] = flaky(3, cut, note);
  await expect(client.memory.get({ namespace: "n" })).rejects.toMatchObject({
    code: "authority_unavailable",
  });
  expect(server.asked).toHaveLength(6);
});

test("a write without a key is sent once", async () => {
  const { client, server } = await connect({ "agentkeys.memory.put": flaky(1, cut, stored) });
  await expect(client.memory.put({ namespace: "n", content: "c" })).rejects.toMatchObject({
    code: "authority_unavailable",
  });
  expect(server.names()).toEqual(["agentkeys.memory.put"]);
});

test("a write with a key is sent again to an authority of ours, with the same key", async () => {
  const { client, server } = await connect({
    "agentkeys.memory.put": flaky(1, cut, stored),
    "guard/begin": ours,
  });
  await client.memory.put({ namespace: "n", content: "c" }, { idempotencyKey: "k" });
  expect(server.names()).toEqual(["agentkeys.memory.put", "guard/begin", "agentkeys.memory.put"]);
  const puts = server.asked.filter(({ what }) => what === "agentkeys.memory.put");
  expect(puts.map(({ headers }) => headers["idempotency-key"])).toEqual(["k", "k"]);
});

test("a write with a key is never sent again to a server that is not ours", async () => {
  const row = { ok: true, envelope_hash: hash };
  const { client, server } = await connect({ "agentkeys.audit.append": flaky(1, cut, row) });
  const event = { op_kind: 11, result: 0 } as const;
  await expect(client.audit.append({ event }, { idempotencyKey: "k" })).rejects.toMatchObject({
    code: "authority_unavailable",
  });
  expect(server.names()).toEqual(["agentkeys.audit.append", "guard/begin"]);
});

test("what the server answered is not asked again", async () => {
  const { client, server } = await connect({
    "agentkeys.memory.get": () => {
      throw new RpcProblem(-32000, "memory_get failed: backend HTTP error (502): x");
    },
  });
  await expect(client.memory.get({ namespace: "n" })).rejects.toMatchObject({
    code: "backend_error",
  });
  expect(server.asked).toHaveLength(1);
});

test("a call that was turned away for its rate waits as told, a write too", async () => {
  const busy: Handler = (_, response) => {
    response.writeHead(429, { "retry-after": "0" });
    response.end();
  };
  const { client, server } = await connect({ "agentkeys.memory.put": flaky(1, busy, stored) });
  await client.memory.put({ namespace: "n", content: "c" });
  expect(server.asked).toHaveLength(2);
  server.handlers["agentkeys.memory.put"] = (_, response) => {
    response.writeHead(429, { "retry-after": "3600" });
    response.end();
  };
  await expect(client.memory.put({ namespace: "n", content: "c" })).rejects.toMatchObject({
    code: "rate_limited",
  });
  expect(server.asked).toHaveLength(3);
});
