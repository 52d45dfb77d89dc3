import {
  createClient,
  createGuard,
  createOperator,
  type Fetch,
  type Guard,
  type GuardOptions,
  type Operator,
} from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { type BaseMessage, ToolMessage } from "@langchain/core/messages";
import { tool } from "@langchain/core/tools";
import { onTestFinished } from "vitest";
import { z } from "zod";

const actor = `0x${"a0".repeat(32)}`;
const operatorOmni = `0x${"07".repeat(32)}`;
const env = { VENDOR_TOKEN: "a-vendor-token", OPERATOR_TOKEN: "an-operator-token" };
const config = {
  vendors: { shop: { token: "env:VENDOR_TOKEN" } },
  operators: { [operatorOmni]: { token: "env:OPERATOR_TOKEN" } },
  actors: {
    [actor]: {
      operator: operatorOmni,
      vendor: "shop",
      namespaces: ["travel"],
      services: [],
      scopes: {
        "memory.read": "allow" as const,
        "memory.write": "allow" as const,
        "web.search": "allow" as const,
        "mail.send": "ask" as const,
        "payment.spend": { currency: "RMB", per_call: 500 },
      },
    },
  },
};
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
  operator: Operator;
  /** A person says yes, or no, to all that is asked of this tool. Rejects where nothing is. */
  decide(outcome: "approve" | "deny", name: string): Promise<void>;
  /** Ends client and authority; also done when the test is over. */
  close(): Promise<void>;
}

interface WorldOptions extends Pick<GuardOptions, "approval"> {
  /** Directory of the authority. Default: in memory. */
  data?: string;
}

/**
 * A real authority; `around` wraps the way to it. Tools named `free_…` may run (`free_again` again and again), those named `ask_…` when a person agrees,
 * `order_food` up to 500.
 */
export async function open(
  around: (fetch: Fetch) => Fetch = (fetch) => fetch,
  { data = ":memory:", approval }: WorldOptions = {},
): Promise<World> {
  const authority = await createAuthority({ data, env, config });
  const world = { begun: [] as Begin[], ended: [] as string[], ran: [] as unknown[] };
  const watched: Fetch = async (url, init) => {
    const response = await authority.fetch(url, init);
    if (bodyOf(init) === "") return response;
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
    operator: operatorOmni,
    deviceKeyHash: `0x${"de".repeat(32)}`,
  });
  const operator = createOperator({ fetch: authority.fetch, token: "an-operator-token" });
  const close = async () => {
    await client.close();
    await operator.close();
    await authority.close();
  };
  onTestFinished(close);
  const guard = createGuard<{ order_food: { price: number } }>({
    client,
    tools: {
      order_food: { scope: "payment.spend", params: ({ price }) => ({ amount_rmb: price }) },
    },
    classify: ({ tool: name }) => {
      if (name.startsWith("ask_")) return { scope: "mail.send" };
      const idempotent = name === "free_again";
      return name.startsWith("free_") ? { scope: "web.search", idempotent } : undefined;
    },
    approval,
  });
  const decide: World["decide"] = async (outcome, name) => {
    const pending = await operator.approvals.list({ status: "pending", tool: name });
    if (pending.length === 0) throw new Error(`nothing is asked of ${name}`);
    for (const asked of pending) await operator.approvals[outcome](asked, { reason: "tested" });
  };
  return { guard, operator, decide, close, ...world };
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

export function free(
  { ran }: Pick<World, "ran">,
  name = "free_note",
  run: () => unknown = () => `${name} ran`,
) {
  return tool(
    () => {
      ran.push(name);
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
