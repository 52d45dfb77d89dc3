// A script calls a third-party HTTP API with a credential that it never stores: it fetches it from the vault for one call.
// The stand-in API below is real HTTP and checks the credential; the secret reaches neither the log nor a model.
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { AgentKeysError, createClient } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";

const secret = `sk-${crypto.randomUUID()}`;
const operator = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;
const deviceKeyHash = `0x${"de".repeat(32)}`;

const api = createServer((request, response) => {
  const allowed = request.headers.authorization === `Bearer ${secret}`;
  response.writeHead(allowed ? 200 : 401, { "content-type": "application/json" });
  response.end(JSON.stringify(allowed ? { answer: "42 km" } : { error: "who are you?" }));
}).listen(0, "127.0.0.1");
await once(api, "listening");
const apiUrl = `http://127.0.0.1:${(api.address() as AddressInfo).port}/distance`;

await using authority = await createAuthority({
  data: ":memory:",
  env: { VENDOR_TOKEN: "broker-vendor", OPERATOR_TOKEN: "broker-operator" },
  config: {
    vendors: { scripts: { token: "env:VENDOR_TOKEN" } },
    operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      // The operator's own identity stores; the script's may only fetch, and only for one service.
      [operator]: {
        operator,
        vendor: "scripts",
        services: ["maps"],
        scopes: { "cred.write": "allow" },
      },
      [actor]: {
        operator,
        vendor: "scripts",
        services: ["maps"],
        scopes: { "cred.read": "allow" },
      },
    },
  },
});
const identity = { fetch: authority.fetch, token: "broker-vendor", operator, deviceKeyHash };

await using master = createClient({ ...identity, actor: operator });
await master.cred.store({ service: "maps", content: secret });

await using client = createClient({ ...identity, actor });
assert.ok(!Object.keys(client.rows).some((name) => name.startsWith("cred_")), "no model's tool");

async function distance(): Promise<unknown> {
  await using session = await client.session({ ttl: 60 });
  const { content } = await session.cred.fetch({ service: "maps" });
  const response = await fetch(apiUrl, { headers: { authorization: `Bearer ${content}` } });
  assert.equal(response.status, 200);
  return response.json();
}

console.log("with the vault's credential:", JSON.stringify(await distance()));
assert.equal((await fetch(apiUrl)).status, 401);
console.log("without it: 401");

await assert.rejects(client.cred.fetch({ service: "bank" }), (error) =>
  AgentKeysError.is(error, "scope_denied"),
);
await assert.rejects(client.cred.store({ service: "maps", content: "mine" }), (error) =>
  AgentKeysError.is(error, "scope_denied"),
);
console.log("another service, or storing one: refused and recorded");

const stop = new AbortController();
const feed = await authority.fetch("http://authority/v1/audit/stream?after=0", {
  headers: { authorization: "Bearer broker-operator" },
  signal: stop.signal,
});
let log = "";
const reader = feed.body?.pipeThrough(new TextDecoderStream()).getReader();
while ((log.match(/"op_kind":1[,}]/g) ?? []).length < 2) {
  const chunk = await reader?.read();
  assert.ok(chunk !== undefined && !chunk.done, "the feed holds both fetches");
  log += chunk.value;
}
stop.abort();
assert.ok(!log.includes(secret), "the secret is in no record");
console.log("the log tells who fetched what, and not the secret");
api.close();
