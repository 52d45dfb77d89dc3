import { createClient, createGuard, type Fetch, type Guard } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { onTestFinished } from "vitest";
import { z } from "zod";

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;
export const denial =
  "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)";

export const bodyOf = ({ body }: RequestInit): string => (typeof body === "string" ? body : "");

interface Begin {
  tool: string;
  call_id: string;
  verdict: string;
}

export interface World {
  guard: Guard;
  /** Every decision asked of the authority, in order. */
  begun: Begin[];
  /** Every outcome recorded, in order. */
  ended: string[];
  /** What really ran. */
  ran: unknown[];
}

/** A real authority in memory; `around` wraps the way to it. Tools named `free_…` may run, `order_food` up to 500. */
export async function open(around: (fetch: Fetch) => Fetch = (fetch) => fetch): Promise<World> {
  const authority = await createAuthority({
    data: ":memory:",
    env: { VENDOR_TOKEN: "a-vendor-token", OPERATOR_TOKEN: "an-operator-token" },
    config: {
      vendors: { shop: { token: "env:VENDOR_TOKEN" } },
      operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
      actors: {
        [actor]: {
          operator,
          vendor: "shop",
          namespaces: ["travel"],
          services: [],
          scopes: {
            "memory.read": "allow",
            "memory.write": "allow",
            "web.search": "allow",
            "payment.spend": { currency: "RMB", per_call: 500 },
          },
        },
      },
    },
  });
  const world = { begun: [] as Begin[], ended: [] as string[], ran: [] as unknown[] };
  const watched: Fetch = async (url, init) => {
    const response = await authority.fetch(url, init);
    const { method, params } = JSON.parse(bodyOf(init));
    const { result } = await response.clone().json();
    if (method === "guard/begin") {
      world.begun.push({ tool: params.tool, call_id: params.call_id, verdict: result.verdict });
    }
    if (method === "guard/end") world.ended.push(params.outcome);
    return response;
  };
  const client = createClient({
    fetch: around(watched),
    token: "a-vendor-token",
    actor,
    operator,
    deviceKeyHash: `0x${"de".repeat(32)}`,
  });
  onTestFinished(async () => {
    await client.close();
    await authority.close();
  });
  const guard = createGuard<{ order_food: { price: number } }>({
    client,
    tools: {
      order_food: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) },
    },
    classify: ({ tool: name }) => (name.startsWith("free_") ? { scope: "web.search" } : undefined),
  });
  return { guard, ...world };
}

export const order = z.object({ price: z.coerce.number().default(200) });

export function orderFood({ ran }: World) {
  return tool(
    ({ price }) => {
      ran.push({ price });
      return `ordered for ${price}`;
    },
    { name: "order_food", description: "orders food", schema: order },
  );
}

export function free(world: World, name = "free_note", run: () => unknown = () => `${name} ran`) {
  return tool(
    () => {
      world.ran.push(name);
      return run();
    },
    { name, description: "a harmless tool", schema: z.object({}) },
  );
}

export const toolCall = (name: string, args: Record<string, unknown>, id = "c1") => ({
  type: "tool_call" as const,
  name,
  args,
  id,
});
export const buy = (price: unknown, id?: string) => ({
  name: "order_food",
  input: { price },
  ...(id === undefined ? {} : { id }),
});
export const answers = ({ messages }: { messages: BaseMessage[] }) =>
  messages
    .filter((message) => ToolMessage.isInstance(message))
    .map(({ name, status, text }) => ({ name, status, text }));
