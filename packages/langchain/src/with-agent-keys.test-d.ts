import type { Guard } from "@agentkeys/core";
import type { BaseChatModel } from "@langchain/core/language_models/chat_models";
import { tool } from "@langchain/core/tools";
import {
  createAgent,
  createMiddleware,
  type InferAgentContext,
  type InferAgentTools,
} from "langchain";
import { expectTypeOf } from "vitest";
import { z } from "zod";
import { agentKeysMiddleware, agentKeysTools, guardTools, withAgentKeys } from "./index.ts";

declare const guard: Guard;
declare const model: BaseChatModel;

const add = tool(({ a }) => a + 1, {
  name: "add",
  description: "adds",
  schema: z.object({ a: z.number() }),
});
const greet = tool(({ who }) => `hello ${who}`, {
  name: "greet",
  description: "greets",
  schema: z.object({ who: z.string() }),
});
const counting = createMiddleware({
  name: "Counting",
  stateSchema: z.object({ count: z.number().default(0) }),
});

// Tools in, the same tools out.
const [guardedAdd, guardedGreet] = guardTools(guard, [add, greet]);
expectTypeOf(guardedAdd).toEqualTypeOf(add);
expectTypeOf(guardedGreet).toEqualTypeOf(greet);
expectTypeOf(guardedAdd.invoke({ a: 1 })).toEqualTypeOf(add.invoke({ a: 1 }));
// @ts-expect-error -- an argument of another type
void guardedAdd.invoke({ a: "one" });

// The agent's types are those of the config without the wrapper.
const config = () => ({ model, contextSchema: z.object({ user: z.string() }) });
const bare = createAgent({
  ...config(),
  tools: [add, greet],
  middleware: [counting],
  responseFormat: z.object({ total: z.number() }),
});
const wrapped = createAgent(
  withAgentKeys(guard, {
    ...config(),
    tools: [add, greet],
    middleware: [counting],
    responseFormat: z.object({ total: z.number() }),
  }),
);
expectTypeOf<InferAgentContext<typeof wrapped>>().toEqualTypeOf<InferAgentContext<typeof bare>>();
expectTypeOf<InferAgentTools<typeof wrapped>[0]>().toEqualTypeOf<typeof add>();
expectTypeOf<InferAgentTools<typeof wrapped>[1]>().toEqualTypeOf<typeof greet>();

type Result<A extends { invoke: (...args: never[]) => unknown }> = Awaited<ReturnType<A["invoke"]>>;
declare const result: Result<typeof wrapped>;
expectTypeOf(result.structuredResponse).toEqualTypeOf<{ total: number }>();
expectTypeOf(result.count).toEqualTypeOf<number>();
// @ts-expect-error -- no such field in the structured response
void result.structuredResponse.sum;
// @ts-expect-error -- no such state
void result.counted;

void wrapped.invoke({ messages: "go" }, { context: { user: "ann" } });
// @ts-expect-error -- the context of another type
void wrapped.invoke({ messages: "go" }, { context: { user: 1 } });

// Also from a variable, and with options of literal types.
const kept = withAgentKeys(guard, { model, version: "v1", tools: [add], middleware: [counting] });
const fromVariable = createAgent(kept);
expectTypeOf<InferAgentTools<typeof fromVariable>[0]>().toEqualTypeOf<typeof add>();
expectTypeOf<Result<typeof fromVariable>["count"]>().toEqualTypeOf<number>();

// By hand, in either order, and as they are.
const own = agentKeysTools(guard.client);
type Offered = typeof add | typeof greet | (typeof own)[number];
const ownFirst = createAgent({
  model,
  tools: [...own, ...guardTools(guard, [add, greet])],
  middleware: [agentKeysMiddleware(guard)],
});
expectTypeOf<InferAgentTools<typeof ownFirst>[number]>().toEqualTypeOf<Offered>();
const ownLast = createAgent({
  model,
  tools: [...guardTools(guard, [add, greet]), ...own],
  middleware: [counting, agentKeysMiddleware(guard)],
});
expectTypeOf<Result<typeof ownLast>["count"]>().toEqualTypeOf<number>();
createAgent({ model, tools: guardTools(guard, [add, greet]) });
createMiddleware({ name: "Adding", tools: guardTools(guard, [add]) });
const fixed = [add, greet] as const;
expectTypeOf(guardTools(guard, fixed)[1]).toEqualTypeOf(greet);

// @ts-expect-error -- a tool is an object
withAgentKeys(guard, { model, tools: ["add"] });
// @ts-expect-error -- operations go by their keys, in a list
withAgentKeys(guard, { model }, { tools: "memory_get" });
