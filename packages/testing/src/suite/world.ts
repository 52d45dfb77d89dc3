import { createClient, createGuard, createOperator } from "@agentkeys/core";
import type { Client, Fetch, Guard, Operator } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import type { Authority } from "@agentkeys/server";
import { z } from "zod";
import type { SuiteTool } from "../framework-driver.ts";
import { readLog } from "./log.ts";
import type { LogRow } from "./log.ts";

const actor = `0x${"a0".repeat(32)}`;
const operatorOmni = `0x${"07".repeat(32)}`;
const deviceKeyHash = `0x${"de".repeat(32)}`;
const env = { VENDOR_TOKEN: "suite-vendor-token", OPERATOR_TOKEN: "suite-operator-token" };

/** One actor that may search, pay up to 500 and remember travels. */
const config = {
  vendors: { suite: { token: "env:VENDOR_TOKEN" } },
  operators: { [operatorOmni]: { token: "env:OPERATOR_TOKEN" } },
  actors: {
    [actor]: {
      operator: operatorOmni,
      vendor: "suite",
      namespaces: ["travel"],
      services: ["openrouter"],
      scopes: {
        "memory.read": "allow",
        "memory.write": "allow",
        "web.search": "allow",
        "payment.spend": { currency: "RMB", per_call: 500, ask_above: 400 },
      },
    },
  },
};

export interface WorldOptions {
  /** `v1` has only upstream's tools: the guard falls back to permission.check and audit.append. */
  surface?: "v1" | "default";
  /** Wraps the way to the authority. */
  around?: (fetch: Fetch) => Fetch;
  timeoutMs?: number;
  /** A real socket instead of the in-process path. */
  http?: boolean;
  token?: string;
}

export interface World extends AsyncDisposable {
  actor: string;
  authority: Authority;
  client: Client;
  guard: Guard;
  operator: Operator;
  /** Side effects of the tools: what really ran, with the input it got. */
  ran: { tool: string; input: unknown }[];
  tools: Record<ToolName, SuiteTool>;
  /** Every durable record so far, decoded. Default surface only. */
  log(): Promise<LogRow[]>;
}

export type ToolName =
  | "search_web"
  | "order_food"
  | "unmapped"
  | "failing"
  | "patient"
  | "counting"
  | "lenient";

function createTools(ran: World["ran"]): World["tools"] {
  const noted =
    (tool: string, run: (input: never, signal?: AbortSignal) => unknown) =>
    (input: never, { signal }: { signal?: AbortSignal | undefined }) => {
      ran.push({ tool, input });
      return run(input, signal);
    };
  const order = z.object({ dish: z.string(), price: z.number() });
  const tool = (
    name: ToolName,
    schema: z.ZodObject,
    run: (input: never, signal?: AbortSignal) => unknown,
  ): SuiteTool => ({ name, description: `suite tool ${name}`, schema, execute: noted(name, run) });
  return {
    search_web: tool("search_web", z.object({ query: z.string() }), () => "found it"),
    order_food: tool("order_food", order, () => "ordered"),
    unmapped: tool("unmapped", z.object({}), () => "should not run"),
    failing: tool("failing", z.object({}), () => Promise.reject(new Error("kaput"))),
    patient: tool(
      "patient",
      z.object({}),
      (_, signal) =>
        new Promise((_resolve, reject) => {
          const give = (): void => reject(signal?.reason as Error);
          if (signal?.aborted) give();
          signal?.addEventListener("abort", give, { once: true });
        }),
    ),
    counting: {
      name: "counting",
      description: "counts to three",
      schema: z.object({}),
      async *execute(input: never) {
        ran.push({ tool: "counting", input });
        yield 1;
        yield 2;
        yield 3;
        return 3;
      },
    },
    lenient: tool(
      "lenient",
      z.object({ price: z.coerce.number().default(200) }),
      (input: { price: number }) => `paid ${input.price}`,
    ),
  };
}

/** A real authority in memory, a client, a guard and the suite's tools. */
export async function openWorld(options: WorldOptions = {}): Promise<World> {
  const v1 = options.surface === "v1";
  const authority = await createAuthority({
    data: ":memory:",
    ...(v1 ? { surface: "v1" as const } : { config }),
    env: { ...env, MCP_VENDOR_TOKENS: `suite:${env.VENDOR_TOKEN}` },
  });
  const way = options.http
    ? { url: (await authority.listen({ port: 0 })).url }
    : { fetch: (options.around ?? ((fetch: Fetch) => fetch))(authority.fetch) };
  const client = createClient({
    ...way,
    token: options.token ?? env.VENDOR_TOKEN,
    actor,
    operator: operatorOmni,
    deviceKeyHash,
    timeoutMs: options.timeoutMs ?? 5000,
  });
  const operator = createOperator({ fetch: authority.fetch, token: env.OPERATOR_TOKEN });
  // v1 has upstream's closed table: payment.spend and memory only.
  const free = v1 ? "memory.read" : "web.search";
  const amount = (i: { price: number }): { amount_rmb: number } => ({ amount_rmb: i.price });
  const guard = createGuard<{
    search_web: { query: string };
    order_food: { dish: string; price: number };
    failing: object;
    patient: object;
    counting: object;
    lenient: { price: number };
  }>({
    client,
    tools: {
      search_web: { scope: free },
      order_food: { scope: "payment.spend", params: amount, record: ["dish"] },
      failing: { scope: free },
      patient: { scope: free },
      counting: { scope: free },
      lenient: { scope: "payment.spend", params: amount },
    },
  });
  const ran: World["ran"] = [];
  return {
    actor,
    authority,
    client,
    guard,
    operator,
    ran,
    tools: createTools(ran),
    log: () => readLog(authority.fetch, env.OPERATOR_TOKEN, client),
    async [Symbol.asyncDispose]() {
      await client.close();
      await authority.close();
    },
  };
}
