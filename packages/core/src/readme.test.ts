import { createAuthority } from "@agentkeys/server";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { actor, deviceKeyHash, operator } from "../test/stand-in.ts";
// #region readme
import { createClient } from "@agentkeys/core";
// #endregion
// #region guard
import { AgentKeysError, createGuard } from "@agentkeys/core";
// #endregion
// #region operator
import { createOperator } from "@agentkeys/core";
// #endregion

const authority = await createAuthority({
  data: ":memory:",
  env: {},
  config: {
    vendors: { shop: { token: "value:vendor-token" } },
    operators: { [operator]: { token: "value:operator-token" } },
    actors: {
      [actor]: {
        operator,
        vendor: "shop",
        namespaces: ["travel", "profile"],
        services: ["openrouter"],
        scopes: {
          "memory.read": "allow",
          "memory.write": "allow",
          "cred.read": "allow",
          "cred.write": "allow",
          "web.search": "allow",
          "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
        },
      },
    },
  },
});
const lines: unknown[] = [];

beforeAll(async () => {
  const { url } = await authority.listen();
  vi.stubEnv("AGENTKEYS_MCP_URL", url);
  vi.stubEnv("AGENTKEYS_MCP_VENDOR_TOKEN", "vendor-token");
  vi.stubEnv("AGENTKEYS_OPERATOR_TOKEN", "operator-token");
  vi.stubEnv("AGENTKEYS_ACTOR_OMNI", actor);
  vi.stubEnv("AGENTKEYS_OPERATOR_OMNI", operator);
  vi.stubEnv("AGENTKEYS_DEVICE_KEY_HASH", deviceKeyHash);
  vi.spyOn(console, "log").mockImplementation((...line: unknown[]) => void lines.push(...line));
});

beforeEach(() => {
  lines.length = 0;
});

afterAll(async () => {
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  await authority.close();
});

test("the happy path", async () => {
  // #region readme
  await using client = createClient(); // url, token and identity from AGENTKEYS_* variables

  await client.cap.mint({ op: "memory_put", params: { service: "memory:travel" }, ttl: 300 });
  await client.memory.put({ namespace: "travel", content: "Chengdu, 3 to 7 May" });

  const trip = await client.memory.get({ namespace: "travel" });
  console.log(trip.content); // Chengdu, 3 to 7 May
  const family = await client.memory.get({ namespace: "family" }); // outside this agent's namespaces
  console.log(family.ok, family.content === ""); // false true: an empty result, and an audit row

  const { envelope_hash } = await client.audit.append({
    event: { op_kind: 11, result: 0, intent_text: "read the travel note" },
  });
  console.log(envelope_hash); // 0x…, keccak256 of the record's canonical CBOR
  // #endregion
  expect(lines).toEqual([
    "Chengdu, 3 to 7 May",
    false,
    true,
    expect.stringMatching(/^0x[0-9a-f]{64}$/),
  ]);
});

test("the guard", async () => {
  const orderFood = ({ dish }: { dish: string; price: number }): string => `${dish} is on its way`;
  const client = createClient();
  // #region guard
  const guard = createGuard({
    client,
    tools: {
      order_food: {
        scope: "payment.spend",
        params: (i) => ({ amount_rmb: i["price"] }), // what the policy looks at
        record: ["dish"], // in clear in the log; the rest of the input is a digest
      },
    },
  });
  const order = guard.wrap("order_food", orderFood);

  console.log(await order({ dish: "noodles", price: 200 })); // noodles is on its way
  try {
    await order({ dish: "lobster", price: 600 });
  } catch (error) {
    if (!AgentKeysError.is(error, "permission_denied")) throw error;
    console.log(error.message);
    // Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)
  }
  // #endregion
  expect(lines).toEqual([
    "noodles is on its way",
    "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
  ]);
  await client.close();
});

test("people decide", async () => {
  const orderFood = ({ dish }: { dish: string; price: number }): string => `${dish} is on its way`;
  await using client = createClient();
  // #region approvals
  const guard = createGuard<{ order_food: { dish: string; price: number } }>({
    client,
    tools: {
      order_food: {
        scope: "payment.spend",
        params: ({ price }) => ({ amount_rmb: price }),
        describe: ({ dish, price }) => `Order ${dish} for ${price} RMB`, // what the person reads
      },
    },
    approval: { waitMs: 60_000 }, // where a run cannot be suspended
  });
  const order = guard.wrap("order_food", orderFood);
  const served = order({ dish: "noodles", price: 400 }); // the policy asks above 300

  await using operators = createOperator(); // in another process, with the operator's token
  for await (const approval of operators.approvals.watch()) {
    console.log(approval.text); // Order noodles for 400 RMB
    await operators.approvals.approve(approval, { reason: "lunch for the team", by: "ann" });
    break;
  }
  console.log(await served); // noodles is on its way
  // #endregion
  expect(lines).toEqual(["Order noodles for 400 RMB", "noodles is on its way"]);
});

test("a framework suspends and resumes", async () => {
  await using client = createClient();
  await using operators = createOperator();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend", params: (i) => ({ amount_rmb: i["price"] }) } },
  });
  const call = { tool: "order_food", input: { price: 400 }, callId: "call-1", runKey: "thread-7" };
  const ids: string[] = [];
  // #region suspend
  class Suspended extends Error {}
  const attempt = () =>
    guard.run(call, ({ price }) => `paid ${Number(price)}`, {
      suspend: (approval) => {
        ids.push(approval.id); // and approval.digest, text, expires_at: for whoever asks the person
        throw new Suspended();
      },
    });

  await attempt().catch((error: unknown) => console.log(error instanceof Suspended)); // true
  for (const approval of await operators.approvals.list({ status: "pending", callId: "call-1" })) {
    await operators.approvals.approve(approval, { reason: "lunch" });
  }
  console.log(await attempt()); // { status: "ran", result: "paid 400" }
  console.log(await attempt()); // { status: "ran", result: "paid 400", replayed: true }: nothing ran
  // #endregion
  expect(ids).toHaveLength(1);
  expect(lines).toEqual([
    true,
    { status: "ran", result: "paid 400" },
    { status: "ran", result: "paid 400", replayed: true },
  ]);
});

test("coverage", async () => {
  await using client = createClient();
  const guard = createGuard({
    client,
    tools: { order_food: { scope: "payment.spend" }, serach_web: { scope: "web.search" } },
  });
  // #region coverage
  const tools = {
    order_food: guard.wrap("order_food", () => "on its way"),
    search_web: () => "results",
  };
  const coverage = await guard.coverage(tools);
  console.log(coverage.tools.map(({ name, how }) => `${name}: ${how}`).join(", "));
  // order_food: guarded, search_web: raw
  console.log(coverage.unused.join()); // serach_web: a row that governs nothing
  // #endregion
  expect(lines).toEqual(["order_food: guarded, search_web: raw", "serach_web"]);
});

test("a session", async () => {
  await using client = createClient();
  await client.cred.store({ service: "openrouter", content: "sk-1" });
  // #region session
  await using session = await client.session({ ttl: 300 });
  const { content: secret } = await session.cred.fetch({ service: "openrouter" });
  // #endregion
  expect(secret).toBe("sk-1");
});

test("the edge", async () => {
  const env = {
    MCP_URL: "http://authority/mcp",
    TOKEN: "vendor-token",
    ACTOR: actor,
    OPERATOR: operator,
    DEVICE_KEY_HASH: deviceKeyHash,
  };
  const { fetch } = authority;
  // #region edge
  const client = createClient({
    fetch: (url, init) => fetch(url, init), // the platform's, or an embedded authority's
    url: env.MCP_URL,
    token: env.TOKEN,
    actor: env.ACTOR,
    operator: env.OPERATOR,
    deviceKeyHash: env.DEVICE_KEY_HASH,
  });
  // #endregion
  expect(await client.identity.whoami()).toMatchObject({ omni: actor });
});

test("the operator", async () => {
  // #region operator
  await using operators = createOperator(); // AGENTKEYS_OPERATOR_TOKEN
  await operators.actors.revoke(actor, { reason: "lost phone" });
  // #endregion
  await using client = createClient();
  await expect(client.identity.whoami()).rejects.toMatchObject({ code: "actor_revoked" });
});
