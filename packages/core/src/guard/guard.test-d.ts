import { expectTypeOf } from "vitest";
import type { Client } from "../client/client-surface.ts";
import { createClient } from "../client/client.ts";
import { createGuard } from "./guard.ts";
import type { Guard } from "./guard-surface.ts";
import { createOperator } from "../operator/operator.ts";

interface Order {
  dish: string;
  price: number;
}
declare const client: Client;

// Without input types: fields are unknown, and any field may be recorded.
createGuard({
  client,
  tools: {
    order_food: {
      scope: "payment.spend",
      params: (i) => {
        expectTypeOf(i["price"]).toBeUnknown();
        return { amount_rmb: i["price"] };
      },
      record: ["dish"],
    },
    search_web: { scope: "web.search", idempotent: true },
  },
  classify: ({ tool }) => (tool.startsWith("files__") ? { scope: "files.read" } : undefined),
});

// With them: rows are checked against their tool's input, and `record` does not decide what the input is.
const guard = createGuard<{ order_food: Order; search_web: { query: string } }>({
  client,
  tools: {
    order_food: {
      scope: "payment.spend",
      params: ({ price }) => ({ amount_rmb: price satisfies number }),
      record: ["dish"],
    },
    search_web: { scope: "web.search" },
  },
});
expectTypeOf(guard).toExtend<Guard>();

// @ts-expect-error a field that the input does not have cannot be recorded
createGuard<{ t: Order }>({ client, tools: { t: { scope: "s", record: ["colour"] } } });
// @ts-expect-error every tool of the type needs its row
createGuard<{ t: Order; u: Order }>({ client, tools: { t: { scope: "s" } } });
// @ts-expect-error a row without a scope governs nothing
createGuard({ client, tools: { t: {} } });

const sync = guard.wrap("order_food", (order: Order, table: number) => `${order.dish} ${table}`);
expectTypeOf(sync).toEqualTypeOf<(order: Order, table: number) => Promise<string>>();
const later = guard.wrap("order_food", async (order: Order) => order.price);
expectTypeOf(later).toEqualTypeOf<(order: Order) => Promise<number>>();
const stream = guard.wrap("order_food", async function* (order: Order) {
  const more: boolean = yield order.dish;
  return more;
});
expectTypeOf(stream).toEqualTypeOf<(order: Order) => AsyncGenerator<string, boolean, boolean>>();
// @ts-expect-error the input of the wrapped function is the input of the guarded one
void sync({ dish: "noodles" }, 1);

// What was not annotated is known by the tool's name; what contradicts it does not compile.
guard.wrap("search_web", (input) => {
  expectTypeOf(input).toEqualTypeOf<{ query: string }>();
});
const whole = guard.wrap("search_web", () => 1);
expectTypeOf(whole).parameter(0).toEqualTypeOf<{ query: string }>();
const known = guard.wrap("order_food", ({ dish }: { dish: string }) => dish);
expectTypeOf(known).toEqualTypeOf<(order: Order) => Promise<string>>();
// @ts-expect-error the row speaks of an order
guard.wrap("order_food", ({ price }: { price: string }) => price);
// @ts-expect-error the input has no such field
guard.wrap("search_web", ({ question }) => question as string);
const mapped = guard.wrap("files__read", (file: { path: string }) => file.path);
expectTypeOf(mapped).toEqualTypeOf<(file: { path: string }) => Promise<string>>();
const plain = createGuard({ client, tools: { order_food: { scope: "payment.spend" } } });
expectTypeOf(plain).toEqualTypeOf<Guard>();
const anyOrder = plain.wrap("order_food", (order: Order) => order.price);
expectTypeOf(anyOrder).toEqualTypeOf<(order: Order) => Promise<number>>();

const ran = await guard.run({ tool: "t", input: {} }, async () => 7);
if (ran.status === "ran") expectTypeOf(ran.result).toEqualTypeOf<number>();
else expectTypeOf(ran.message).toEqualTypeOf<string>();
const opened = await guard.open({ tool: "t", input: {} });
if (opened.status === "open") expectTypeOf(opened.end).parameter(0).toExtend<string>();

// What comes from the environment may be missing.
createOperator({ url: "http://localhost/mcp", token: process.env["AGENTKEYS_OPERATOR_TOKEN"] });
createClient({ token: process.env["AGENTKEYS_MCP_VENDOR_TOKEN"], fetch: undefined });

expectTypeOf(client.memory.get({ namespace: "travel" })).resolves.toExtend<{ content: string }>();
void client.identity.whoami();
// @ts-expect-error a namespace is asked for
void client.memory.get({});

// What comes back from an execution, and what a seam may say about it.
const replayable = await guard.run({ tool: "t", input: {} }, (_, { approval }) => approval, {
  outcome: (settled) => ("error" in settled ? "suspended" : undefined),
  suspend: ({ id, digest, text, call_id, expires_at }) => {
    expectTypeOf([id, digest, text, call_id]).toEqualTypeOf<string[]>();
    expectTypeOf(expires_at).toBeNumber();
  },
});
if (replayable.status === "ran")
  expectTypeOf(replayable.replayed).toEqualTypeOf<true | undefined>();
else expectTypeOf(replayable.approval?.id).toEqualTypeOf<string | undefined>();
// @ts-expect-error a word that is no outcome
void guard.run({ tool: "t", input: {} }, () => 1, { outcome: () => "fine" });
// @ts-expect-error a wait has a length
createGuard({ client, tools: {}, approval: { waitMs: "1m" } });

// People decide with a reason, and remember for a time.
const operator = createOperator();
for await (const approval of operator.approvals.watch()) {
  expectTypeOf(approval.status).toExtend<string>();
  const remember = { match: "tool", for: "thread", ttl: 60 } as const;
  void operator.approvals.approve(approval, { reason: "lunch", remember });
  // @ts-expect-error only a yes is remembered
  void operator.approvals.deny(approval, { reason: "no", remember });
  // @ts-expect-error without a reason there is no decision
  void operator.approvals.approve(approval, {});
}
