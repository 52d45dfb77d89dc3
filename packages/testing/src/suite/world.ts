import { createGuard } from "@agentkeys/core";
import type { Client, Fetch, Guard, Operator } from "@agentkeys/core";
import { type Authority, createAuthority } from "@agentkeys/server";
import { z } from "zod";
import type { SuiteTool } from "../framework-driver.ts";
import { mockAuthority, type MockAuthority } from "../mock-authority.ts";
import { identity } from "../mock-config.ts";
import type { Recorded } from "../recorded.ts";

/** One actor that may search, pay up to 500 and remember travels. */
const actor = {
  namespaces: ["travel"],
  scopes: { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 400 } },
};

export interface WorldOptions {
  /** `v1` has only upstream's tools: the guard falls back to permission.check and audit.append. */
  surface?: "v1" | "default";
  /** Wraps the way to the authority; `closing` aborts when the world ends. */
  around?: (fetch: Fetch, closing: AbortSignal) => Fetch;
  timeoutMs?: number;
  /** A real socket instead of the in-process path. */
  http?: boolean;
  token?: string;
}

export interface World extends AsyncDisposable {
  actor: string;
  authority: MockAuthority;
  client: Client;
  guard: Guard;
  operator: Operator;
  /** Side effects of the tools: what really ran, with the input it got. */
  ran: { tool: string; input: unknown }[];
  tools: Record<ToolName, SuiteTool>;
  /** Every durable record so far, decoded. Default surface only. */
  log(): Recorded[];
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
  const authority = await mockAuthority({ actor });
  const upstream = v1 ? await openUpstream() : undefined;
  const closing = new AbortController();
  const fetch = upstream?.fetch ?? authority.fetch;
  const client = authority.client({
    ...(options.http
      ? { url: await authority.url() }
      : { fetch: (options.around ?? same)(fetch, closing.signal) }),
    ...(options.token !== undefined && { token: options.token }),
    timeoutMs: options.timeoutMs ?? 5000,
  });
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
    actor: identity.actor,
    authority,
    client,
    guard,
    operator: authority.operator(),
    ran,
    tools: createTools(ran),
    log: authority.log,
    async [Symbol.asyncDispose]() {
      closing.abort(new Error("the world is closed"));
      await authority.close();
      await upstream?.close();
    },
  };
}

const same = (fetch: Fetch): Fetch => fetch;

/** A server that has only upstream's tools and upstream's policy. */
function openUpstream(): Promise<Authority> {
  const env = { MCP_VENDOR_TOKENS: `suite:${identity.token}` };
  return createAuthority({ data: ":memory:", surface: "v1", env });
}
