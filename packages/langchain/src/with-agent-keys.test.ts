import { AgentKeysError } from "@agentkeys/contract";
import { scriptedModel } from "@agentkeys/testing/langchain";
import { createAgent, createMiddleware } from "langchain";
import { describe, expect, test } from "vitest";
import { answers, bodyOf, buy, open, orderFood } from "../test/world.ts";
import { agentKeysTools, withAgentKeys } from "./index.ts";

describe("withAgentKeys", () => {
  test("AgentKeys' tools first, the guard last, the given config untouched", async () => {
    const world = await open();
    const mine = createMiddleware({ name: "Mine" });
    const raw = orderFood(world);
    const config = { model: scriptedModel(["done"]), tools: [raw], middleware: [mine] };
    const given = { ...config };
    const wrapped = withAgentKeys(world.guard, config, { tools: ["memory_get"] });
    expect(config).toEqual(given);
    expect(wrapped.tools.map(({ name }) => name)).toEqual(["agentkeys_memory_get", "order_food"]);
    expect(wrapped.middleware.map(({ name }) => name)).toEqual(["Mine", "AgentKeysGuard"]);
    expect(withAgentKeys(world.guard, config, { tools: false }).tools).toHaveLength(1);
  });

  test("applied twice it is applied once", async () => {
    const world = await open();
    const once = withAgentKeys(world.guard, {
      model: scriptedModel([[buy(200)], "done"]),
      tools: [orderFood(world)],
    });
    const twice = withAgentKeys(world.guard, once);
    expect(twice.tools).toEqual(once.tools);
    await createAgent(twice).invoke({ messages: "go" });
    expect(world.begun).toHaveLength(1);
  });

  test("strict refuses what a provider runs, wherever it is configured", async () => {
    const world = await open();
    const search = { type: "web_search_20250305", name: "web_search" };
    const model = scriptedModel(["done"]);
    const refusal = expect.objectContaining({
      code: "config_invalid",
      message: expect.stringContaining("web_search"),
    });
    const strictly = (config: Parameters<typeof withAgentKeys>[1]) => () =>
      withAgentKeys(world.guard, { model, ...config }, { strict: true });
    expect(strictly({ tools: [search] })).toThrow(refusal);
    const adding = createMiddleware({ name: "Adding", tools: [search] });
    expect(strictly({ middleware: [adding] })).toThrow(refusal);
    expect(strictly({ tools: [orderFood(world)] })).not.toThrow();
    const lax = withAgentKeys(world.guard, { model, tools: [search] }, { tools: false });
    expect(lax.tools[0]).toBe(search);
  });
});

describe("AgentKeys' own tools", () => {
  test("carry the canonical id, and take the names asked for", async () => {
    const { guard } = await open();
    const [get, put] = agentKeysTools(guard.client, {
      only: ["memory_get", "memory_put"],
      prefix: "ak_",
    });
    expect([get?.name, put?.name]).toEqual(["ak_memory_get", "ak_memory_put"]);
    expect(get?.metadata).toEqual({ agentkeys: { tool: "agentkeys.memory.get" } });
    expect(() => agentKeysTools(guard.client, { only: ["cred_fetch"] })).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });

  test("may be of any source", async () => {
    const { rows } = (await open()).guard.client;
    const { identity_whoami: whoami } = rows;
    const calls: unknown[] = [];
    const source = {
      rows: { whoami: whoami! },
      call: (...call: unknown[]) => Promise.resolve(calls.push(call)),
    };
    const [own, ...others] = agentKeysTools(source, { prefix: "mine_" });
    expect([own?.name, others]).toEqual(["mine_whoami", []]);
    expect(await own?.invoke({})).toBe(1);
    expect(calls).toMatchObject([["whoami", {}, {}]]);
  });

  test("called by a program they give the answer, or reject with the server's own error", async () => {
    const { guard } = await open();
    const [get] = agentKeysTools(guard.client, { only: ["memory_get"] });
    await guard.client.memory.put({ namespace: "travel", content: "Chengdu" });
    expect(await get?.invoke({ namespace: "travel" })).toMatchObject({ content: "Chengdu" });
    await guard.client.close();
    await expect(get?.invoke({ namespace: "travel" })).rejects.toSatisfy((error) =>
      AgentKeysError.is(error),
    );
  });

  test("in an agent an error is soft whatever else wraps tool calls, and nothing is decided twice", async () => {
    const world = await open((fetch) => (url, init) => {
      if (bodyOf(init).includes('"tools/call"')) return Promise.reject(new TypeError("down"));
      return fetch(url, init);
    });
    const noop = createMiddleware({ name: "Noop", wrapToolCall: (q, handler) => handler(q) });
    const script = [[{ name: "agentkeys_identity_whoami", input: {} }], "done"] as const;
    const agent = createAgent(
      withAgentKeys(world.guard, { model: scriptedModel(script), tools: [], middleware: [noop] }),
    );
    const result = await agent.invoke({ messages: "go" });
    expect(answers(result)).toMatchObject([{ status: "error" }]);
    expect(result.messages.at(-1)?.text).toBe("done");
    expect(world.begun).toEqual([]);
  });

  test("the run's signal reaches the authority", async () => {
    const stop = new AbortController();
    let given: AbortSignal | null | undefined;
    const { guard } = await open(() => (_, { signal }) => {
      given = signal;
      stop.abort(new Error("enough"));
      return new Promise((_resolve, reject) => {
        const give = () => reject(signal?.reason as Error);
        if (signal?.aborted) give();
        signal?.addEventListener("abort", give);
      });
    });
    const [get] = agentKeysTools(guard.client, { only: ["memory_get"] });
    await expect(get?.invoke({ namespace: "travel" }, { signal: stop.signal })).rejects.toThrow(
      "enough",
    );
    expect(given?.aborted).toBe(true);
  });
});
