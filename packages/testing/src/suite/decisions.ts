import { expect, test } from "vitest";
import type { FrameworkDriver } from "../framework-driver.ts";
import { intents, outcomes } from "./log.ts";
import { openWorld } from "./world.ts";

/** What is offered, what runs, what is refused, and what the record says. */
export function decisionCases(driver: FrameworkDriver): void {
  test("offers every AgentKeys tool under a model-safe name, without an ambient field", async () => {
    await using world = await openWorld();
    const { offered } = await driver.run({ guard: world.guard, tools: [], script: ["done"] });
    expect(offered.map(({ name }) => name).toSorted()).toEqual([
      "agentkeys_audit_append",
      "agentkeys_cap_mint",
      "agentkeys_cap_revoke",
      "agentkeys_identity_whoami",
      "agentkeys_memory_get",
      "agentkeys_memory_put",
      "agentkeys_permission_check",
    ]);
    const schemas = JSON.stringify(offered.map(({ schema }) => schema));
    for (const field of ["actor", "operator_omni", "device_key_hash", "cap", "ttl_seconds"]) {
      expect(schemas).not.toContain(`"${field}":`);
    }
    const get = offered.find(({ name }) => name === "agentkeys_memory_get")?.schema;
    expect(get).toMatchObject({
      properties: { namespace: { type: "string" } },
      required: ["namespace"],
    });
  });

  test("an allowed call runs once, between a durable intent and its outcome", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.search_web],
      script: [[{ name: "search_web", input: { query: "noodles" }, id: "c1" }], "done"],
    });
    expect(world.ran).toEqual([{ tool: "search_web", input: { query: "noodles" } }]);
    expect(run.text).toBe("done");
    expect(run.answers).toMatchObject([{ id: "c1", tool: "search_web", refused: false }]);
    expect(run.answers[0]?.text).toContain("found it");
    const log = world.log();
    expect(intents(log)).toMatchObject([
      {
        result: 0,
        op_body: { tool: "search_web", call_id: "c1", scope: "web.search", verdict: "accept" },
      },
    ]);
    expect(outcomes(log)).toMatchObject([
      {
        result: 0,
        op_body: { outcome: "ok", is_error: false, intent: intents(log)[0]?.envelope_hash },
      },
    ]);
    expect(JSON.stringify(log)).not.toContain("noodles");
  });

  test.each(["generate", "stream"] as const)(
    "a denied call never runs and the run goes on (%s)",
    async (mode) => {
      await using world = await openWorld();
      const run = await driver.run({
        guard: world.guard,
        tools: [world.tools.order_food],
        mode,
        script: [
          [{ name: "order_food", input: { dish: "hotpot", price: 600 } }],
          [{ name: "order_food", input: { dish: "hotpot", price: 200 } }],
          "done",
        ],
      });
      expect(world.ran).toEqual([{ tool: "order_food", input: { dish: "hotpot", price: 200 } }]);
      expect(run.text).toBe("done");
      expect(run.answers.map(({ refused }) => refused)).toEqual([true, false]);
      expect(run.answers[0]?.text).toContain(
        "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
      );
      const log = world.log();
      expect(
        intents(log).map(({ result, op_body }) => [result, op_body["verdict"], op_body["clear"]]),
      ).toEqual([
        [2, "deny", { dish: "hotpot" }],
        [0, "accept", { dish: "hotpot" }],
      ]);
      expect(outcomes(log)).toHaveLength(1);
    },
  );

  test("a call that needs a person does not run, whether that suspends the run or is a refusal", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.order_food],
      script: [[{ name: "order_food", input: { dish: "crab", price: 450 } }], "done"],
    });
    expect(world.ran).toEqual([]);
    expect(run.answers.every(({ refused }) => refused)).toBe(true);
    expect(intents(world.log())).toMatchObject([{ result: 2, op_body: { verdict: "ask_parent" } }]);
  });

  test("a tool without a row is denied, named in the denial, and recorded", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.unmapped],
      script: [[{ name: "unmapped", input: {} }], "done"],
    });
    expect(world.ran).toEqual([]);
    expect(run.answers).toMatchObject([
      { refused: true, text: expect.stringContaining("unmapped") },
    ]);
    expect(intents(world.log())).toMatchObject([
      { result: 2, op_body: { tool: "unmapped", scope: null, verdict: "deny" } },
    ]);
  });

  test("a tool that throws is an error for the model and in the record; the run goes on", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.failing],
      script: [[{ name: "failing", input: {} }], "done"],
    });
    expect(world.ran).toHaveLength(1);
    expect(run.text).toBe("done");
    expect(run.answers).toMatchObject([{ refused: true }]);
    expect(outcomes(world.log())).toMatchObject([
      { result: 1, op_body: { outcome: "error", is_error: true } },
    ]);
  });

  test("bad arguments are the framework's to answer: nothing runs, nothing is decided", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.order_food],
      script: [[{ name: "order_food", input: { dish: 7, price: "many" } }], "done"],
    });
    expect(world.ran).toEqual([]);
    expect(run.text).toBe("done");
    expect(run.answers).toMatchObject([{ refused: true }]);
    expect(outcomes(world.log())).toEqual([]);
    expect(intents(world.log()).filter(({ op_body }) => op_body["verdict"] === "accept")).toEqual(
      [],
    );
  });

  test("defaults and coercions of the schema are decided on, not the raw text", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.lenient],
      script: [
        [{ name: "lenient", input: { price: "600" } }],
        [{ name: "lenient", input: {} }],
        "done",
      ],
    });
    expect(run.answers.map(({ refused }) => refused)).toEqual([true, false]);
    expect(world.ran).toEqual([{ tool: "lenient", input: { price: 200 } }]);
  });

  test("an agent's tool call is refused as soon as the operator has revoked the agent", async () => {
    await using world = await openWorld();
    const { search_web } = world.tools;
    const revoking = {
      ...search_web,
      execute: async (input: never, context: { signal?: AbortSignal | undefined }) => {
        const found = search_web.execute(input, context);
        await world.operator.actors.revoke(world.actor, { reason: "lost phone" });
        return found;
      },
    };
    const run = await driver.run({
      guard: world.guard,
      tools: [revoking],
      script: [
        [{ name: "search_web", input: { query: "first" } }],
        [{ name: "search_web", input: { query: "second" } }],
        [{ name: "agentkeys_memory_get", input: { namespace: "travel" } }],
        "done",
      ],
    });
    expect(world.ran).toHaveLength(1);
    expect(run.text).toBe("done");
    expect(run.answers.map(({ refused }) => refused)).toEqual([false, true, true]);
    expect(run.answers[1]?.text).toContain("actor_revoked");
  });
}
