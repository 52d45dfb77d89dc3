import assert from "node:assert/strict";
import { createClient, createGuard, createOperator } from "@agentkeys/core";
import type { Client, Operator } from "@agentkeys/core";
import type { AuditSummary } from "./audit-check.ts";
import { checkLog } from "./audit-check.ts";
import { startAuthority } from "./authority.ts";
import type { DemoAuthority } from "./authority.ts";
import { driver } from "./model.ts";
import type { Agent, CreateAgent, Said } from "./shop.ts";
import { say, show } from "./transcript.ts";

interface Order {
  dish: string;
  price: number;
}

const order = (dish: string, price: number) => ({ name: "order_food", input: { dish, price } });
const recall = (namespace: string) => ({ name: "agentkeys_memory_get", input: { namespace } });

/** Everything that one framework's acts share. */
interface Stage {
  agent: Agent;
  operator: Operator;
  actor: string;
  ordered: number[];
  searched: string[];
  /** What the shop does once it has taken an order. */
  afterOrder: () => Promise<unknown>;
}

const scripted = driver === undefined;
const answers = ({ exchanges }: Said): string => exchanges.map(({ answer }) => answer).join("\n");

async function permissionedMemory({ agent }: Stage): Promise<void> {
  say("\nAct 1. Permissioned memory: it may read travel, not family", "act");
  const said = await agent("Where do I travel, and when is my wife's birthday?", [
    [recall("travel")],
    [recall("family")],
    "You go to Chengdu, April 12 to 16. About the birthday I may not know.",
  ]);
  show(said);
  if (scripted) assert.match(answers(said), /Chengdu/);
  assert.doesNotMatch(answers(said) + said.text, /Aug 3|hiking boots/);
}

async function deterministicDenial({ agent, ordered }: Stage): Promise<void> {
  say("\nAct 2. Deterministic denial: ¥500 at a time, no more", "act");
  const said = await agent(
    "Order a banquet for 600 RMB; if that is refused, noodles for 200 RMB.",
    [
      [order("banquet", 600)],
      [order("noodles", 200)],
      "The banquet is over your limit of ¥500; noodles are on their way.",
    ],
  );
  show(said);
  assert.ok(!ordered.includes(600), "the refused order never ran");
  if (!scripted) return;
  assert.deepEqual(ordered, [200]);
  assert.match(answers(said), /daily_spend_cap_exceeded \(cap=500, requested=600, period=daily\)/);
}

async function onlineRevocation(stage: Stage): Promise<void> {
  say("\nAct 3. Online revocation: the operator revokes the agent in the middle of its run", "act");
  const { agent, operator, actor, searched } = stage;
  stage.afterOrder = () => operator.actors.revoke(actor, { reason: "lost phone" });
  const said = await agent("Order tea for 20 RMB, then search the web for a dessert place.", [
    [order("tea", 20)],
    [{ name: "search_web", input: { query: "dessert place" } }],
    "Tea is on its way. I have been revoked and can do nothing more.",
  ]);
  show(said);
  assert.deepEqual(searched, [], "the very next call was refused");
  if (scripted)
    assert.deepEqual(
      said.exchanges.map(({ refused }) => refused),
      [false, true],
    );
}

/** The identity that the authority announced. */
function connect({ url, agent: env }: DemoAuthority): { client: Client; actor: string } {
  const actor = env["AGENTKEYS_ACTOR_OMNI"] ?? "";
  const client = createClient({
    url,
    token: env["AGENTKEYS_MCP_VENDOR_TOKEN"] ?? "",
    actor,
    operator: env["AGENTKEYS_OPERATOR_OMNI"] ?? "",
    deviceKeyHash: env["AGENTKEYS_DEVICE_KEY_HASH"] ?? "",
  });
  return { client, actor };
}

/** The three acts with one framework, against an authority of its own. */
export async function playActs(createAgent: CreateAgent): Promise<AuditSummary> {
  await using authority = await startAuthority();
  say(`authority: process ${authority.pid} at ${authority.url}`);
  const { client, actor } = connect(authority);
  await using operator = createOperator({ url: authority.url, token: authority.operatorToken });
  const guard = createGuard<{ order_food: Order; search_web: { query: string } }>({
    client,
    tools: {
      order_food: {
        scope: "payment.spend",
        params: ({ price }) => ({ amount_rmb: price }),
        record: ["dish"],
      },
      search_web: { scope: "web.search" },
    },
  });
  const ordered: number[] = [];
  const searched: string[] = [];
  const agent = createAgent(guard, {
    search: (query) => {
      searched.push(query);
      return `ten results for ${query}`;
    },
    order: async (dish, price) => {
      ordered.push(price);
      await stage.afterOrder();
      return `${dish} for ¥${price} is on its way`;
    },
  });
  const stage: Stage = { agent, operator, actor, ordered, searched, afterOrder: async () => {} };
  await permissionedMemory(stage);
  await deterministicDenial(stage);
  await onlineRevocation(stage);

  await assert.rejects(client.identity.whoami(), /^AgentKeysError: actor revoked: /);
  const callId = "after-the-run";
  const late = await guard.run(
    { tool: "search_web", input: { query: "tea" }, callId },
    () => "ran",
  );
  assert.equal(late.status, "denied");
  await client.close();
  return await checkLog(authority, callId);
}
