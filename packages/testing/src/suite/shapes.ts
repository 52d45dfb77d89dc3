import { expect, test } from "vitest";
import type { Fetch } from "@agentkeys/core";
import type { FrameworkDriver } from "../framework-driver.ts";
import { textOf } from "../faulty-fetch.ts";
import { intents, outcomes } from "./log.ts";
import { openWorld } from "./world.ts";

const order = (price: number, id?: string) => ({
  name: "order_food",
  input: { dish: "soup", price },
  ...(id === undefined ? {} : { id }),
});

/** The shapes of calls by which guards are usually passed by. */
export function shapeCases(driver: FrameworkDriver): void {
  test("twelve calls of one turn: each decided, the allowed half runs", async () => {
    await using world = await openWorld();
    const calls = Array.from({ length: 12 }, (_, i) => order(i % 2 === 0 ? 200 + i : 600 + i));
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.order_food],
      script: [calls, "done"],
    });
    expect(run.answers).toHaveLength(12);
    const refused = new Map(run.answers.map((answer) => [answer.id, answer.refused]));
    calls.forEach((_, i) => expect(refused.get(`call-${i + 1}`)).toBe(i % 2 === 1));
    expect(
      world.ran.map(({ input }) => (input as { price: number }).price).toSorted((a, b) => a - b),
    ).toEqual([200, 202, 204, 206, 208, 210]);
    const log = world.log();
    expect(intents(log)).toHaveLength(12);
    expect(outcomes(log)).toHaveLength(6);
  });

  test("a call id used again, with another input, is decided anew", async () => {
    await using world = await openWorld();
    const run = driver.run({
      guard: world.guard,
      tools: [world.tools.order_food],
      script: [[order(200, "same")], [order(600, "same")], "done"],
    });
    const ended = await run.then(({ text }) => text, String);
    expect(ended).toMatch(driver.endsOnRepeatedId === true ? /reused/ : /^done$/);
    expect(world.ran).toHaveLength(1);
  });

  test("an option of one run that replaces the seam disarms nothing", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.order_food],
      replaceSeam: true,
      script: [[order(600)], [order(200)], "done"],
    });
    expect(world.ran).toHaveLength(1);
    expect(run.answers.map(({ refused }) => refused)).toEqual([true, false]);
    expect(outcomes(world.log())).toHaveLength(1);
  });

  test("the tool object decides when it is called with no agent", async () => {
    await using world = await openWorld();
    const denied = await driver.direct(world.guard, world.tools.order_food, {
      input: { dish: "soup", price: 600 },
    });
    expect(denied).toMatchObject({
      ran: false,
      text: expect.stringContaining("daily_spend_cap_exceeded"),
    });
    const allowed = await driver.direct(world.guard, world.tools.order_food, {
      input: { dish: "soup", price: 200 },
    });
    expect(allowed.ran).toBe(true);
    expect(world.ran).toEqual([{ tool: "order_food", input: { dish: "soup", price: 200 } }]);
    expect(outcomes(world.log())).toHaveLength(1);
  });

  test("an input changed while it is decided on runs as it was decided on", async () => {
    const input = { dish: "soup", price: 200 };
    const around =
      (fetch: Fetch): Fetch =>
      async (url, init) => {
        const response = await fetch(url, init);
        if (textOf(init).includes('"guard/begin"')) input.price = 600;
        return response;
      };
    await using world = await openWorld({ around });
    const answer = await driver.direct(world.guard, world.tools.order_food, { input });
    expect(input.price).toBe(600);
    expect(answer.ran).toBe(true);
    expect(world.ran).toEqual([{ tool: "order_food", input: { dish: "soup", price: 200 } }]);
  });

  test("a sub-agent that was given guarded objects is guarded", async () => {
    await using world = await openWorld();
    const run = await driver.subAgent({
      guard: world.guard,
      tools: [world.tools.order_food],
      script: [[order(600)], [order(200)], "inner done"],
    });
    expect(world.ran).toHaveLength(1);
    expect(run.answers.map(({ refused }) => refused)).toEqual([true, false]);
    expect(outcomes(world.log())).toHaveLength(1);
  });

  test("an abort while the authority decides reaches the authority, and the tool never runs", async () => {
    const stop = new AbortController();
    let reached = false;
    const around =
      (fetch: Fetch): Fetch =>
      async (url, init) => {
        if (!textOf(init).includes('"guard/begin"')) return fetch(url, init);
        setTimeout(() => stop.abort(new Error("enough")), 5);
        return new Promise((_, reject) => {
          init.signal?.addEventListener("abort", () => {
            reached = true;
            reject(init.signal?.reason as Error);
          });
        });
      };
    await using world = await openWorld({ around });
    await driver
      .run({
        guard: world.guard,
        tools: [world.tools.search_web],
        signal: stop.signal,
        script: [[{ name: "search_web", input: { query: "q" } }], "done"],
      })
      .catch(() => undefined);
    expect(reached).toBe(true);
    expect(world.ran).toEqual([]);
  });

  test("an abort while the tool runs is recorded as aborted", async () => {
    await using world = await openWorld();
    const stop = new AbortController();
    const { patient } = world.tools;
    const tool = {
      ...patient,
      execute: (input: never, context: { signal?: AbortSignal | undefined }) => {
        setTimeout(() => stop.abort(new Error("enough")), 5);
        return patient.execute(input, context);
      },
    };
    await driver
      .run({
        guard: world.guard,
        tools: [tool],
        signal: stop.signal,
        script: [[{ name: "patient", input: {} }], "done"],
      })
      .catch(() => undefined);
    expect(world.ran).toHaveLength(1);
    await expect
      .poll(async () => outcomes(world.log()))
      .toMatchObject([{ result: 1, op_body: { outcome: "aborted", is_error: true } }]);
  });
}

/** For frameworks that start the calls of one turn together. */
export function concurrencyCases(driver: FrameworkDriver): void {
  test("no decision of a turn waits for another", async () => {
    let waiting = 0;
    let release = (): void => undefined;
    const all = new Promise<void>((resolve) => {
      release = resolve;
    });
    // Answers nobody before all three have asked: asked one after another, the first would miss its deadline.
    const around =
      (fetch: Fetch): Fetch =>
      async (url, init) => {
        if (textOf(init).includes('"guard/begin"')) {
          waiting += 1;
          if (waiting === 3) release();
          await all;
        }
        return fetch(url, init);
      };
    await using world = await openWorld({ around, timeoutMs: 2000 });
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.order_food],
      script: [[order(1), order(2), order(3)], "done"],
    });
    expect(run.answers.map(({ refused }) => refused)).toEqual([false, false, false]);
    expect(world.ran).toHaveLength(3);
  });
}

/** For frameworks that run async generators as tools. */
export function generatorCases(driver: FrameworkDriver): void {
  test("a generator tool streams and is held open to its end", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [world.tools.counting],
      mode: "stream",
      script: [[{ name: "counting", input: {} }], "done"],
    });
    expect(run.preliminary).toEqual([1, 2, 3]);
    expect(run.text).toBe("done");
    expect(outcomes(world.log())).toMatchObject([{ op_body: { outcome: "ok" } }]);
  });
}
