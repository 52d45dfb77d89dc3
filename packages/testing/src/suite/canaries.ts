import { AgentKeysError, createOperator, type Fetch } from "@agentkeys/core";
import { expect, test } from "vitest";
import { z } from "zod";
import { textOf } from "../faulty-fetch.ts";
import type { FrameworkDriver } from "../framework-driver.ts";
import { identity, operatorToken } from "../mock-config.ts";
import { listenToPrints } from "./printed.ts";
import { openWorld } from "./world.ts";

/** Bearers that are about in every run, and that nobody may ever read. */
const bearers = [identity.token, operatorToken];

function expectNowhere(secrets: readonly string[], places: Readonly<Record<string, unknown>>) {
  for (const [place, content] of Object.entries(places)) {
    const text = typeof content === "string" ? content : JSON.stringify(content);
    for (const secret of secrets) expect(text, place).not.toContain(secret);
  }
}

/** Bodies that a client sends. */
function wiretap(): { around: (fetch: Fetch) => Fetch; sent: string[] } {
  const sent: string[] = [];
  const around =
    (fetch: Fetch): Fetch =>
    (url, init) => {
      sent.push(textOf(init));
      return fetch(url, init);
    };
  return { around, sent };
}

/** Secrets planted in arguments, results, errors and headers, and every place where they might turn up. */
export function canaryCases(driver: FrameworkDriver): void {
  test("an argument stays out of records, requests, prints and denials", async () => {
    const secret = "canary-of-an-argument";
    const printed = listenToPrints();
    const { around, sent } = wiretap();
    await using world = await openWorld({ around });
    const note = z.object({ note: z.string(), price: z.number().default(600) });
    const { search_web, lenient, unmapped, failing } = world.tools;
    const run = await driver.run({
      guard: world.guard,
      tools: [
        search_web,
        { ...lenient, schema: note },
        { ...unmapped, schema: note },
        { ...failing, schema: note },
      ],
      script: [
        [{ name: "search_web", input: { query: secret } }],
        [{ name: "lenient", input: { note: secret, price: 600 } }],
        [{ name: "unmapped", input: { note: secret, price: 1 } }],
        [{ name: "failing", input: { note: secret, price: 1 } }],
        "done",
      ],
    });
    // They were about: two calls ran with it, two were refused.
    expect(JSON.stringify(world.ran)).toContain(secret);
    expect(world.ran.map(({ tool }) => tool)).toEqual(["search_web", "failing"]);
    expect(run.answers.map(({ refused }) => refused)).toEqual([false, true, true, true]);
    const places = { record: world.log(), request: sent, print: printed(), model: run.answers };
    expectNowhere([secret, ...bearers], places);
  });

  test("a result and an error are for the model only", async () => {
    const secrets = ["canary-of-a-result", "canary-of-an-error"] as const;
    const printed = listenToPrints();
    await using world = await openWorld();
    const { search_web, failing } = world.tools;
    const run = await driver.run({
      guard: world.guard,
      tools: [
        { ...search_web, execute: () => secrets[0] },
        { ...failing, execute: () => Promise.reject(new Error(secrets[1])) },
      ],
      script: [
        [{ name: "search_web", input: { query: "q" } }],
        [{ name: "failing", input: {} }],
        "done",
      ],
    });
    expect(run.answers.map(({ text }) => text).join("\n")).toContain(secrets[0]);
    expectNowhere([...secrets, ...bearers], { record: world.log(), print: printed() });
  });

  test("what travels in a header stays there, whatever goes wrong", async () => {
    const secret = "canary-of-a-header";
    const printed = listenToPrints();
    const script = [
      [{ name: "search_web", input: { query: "q" } }],
      [{ name: "agentkeys_memory_get", input: { namespace: "travel" } }],
      "done",
    ];
    await using world = await openWorld({ http: true, token: secret });
    const refused = { guard: world.guard, tools: [world.tools.search_web], script };
    const runs = [await driver.run(refused)];
    // An agent's token at the operator's door; that this cannot be written is in the authority's own log.
    world.authority.set({ auditDown: true });
    await using intruder = createOperator({ fetch: world.authority.fetch, token: identity.token });
    const reason = "lost phone";
    await expect(intruder.actors.revoke(world.actor, { reason })).rejects.toThrow(AgentKeysError);
    expect(printed()).toContain("could not be recorded");
    world.authority.set({ auditDown: false });
    for (const fault of ["down", "error 500", "garbage"] as const) {
      await using broken = await openWorld({ token: secret });
      broken.authority.set({ fault });
      runs.push(await driver.run({ ...refused, guard: broken.guard }));
    }
    expect(world.ran).toEqual([]);
    expect(runs.flatMap(({ answers }) => answers)).toHaveLength(8);
    const places = { record: world.log(), print: printed(), model: runs };
    expectNowhere([secret, ...bearers], places);
  });
}

/** Values that came out of the vault, taken out again of whatever a model would read. */
export function vaultCanaryCases(driver: FrameworkDriver): void {
  test("a credential that a tool returns, throws or is asked to repeat reaches no model", async () => {
    const secret = 'sk-canary/of+the"vault';
    const printed = listenToPrints();
    await using world = await openWorld();
    const { client, tools } = world;
    await client.cred.store({ service: "openrouter", content: secret });
    const fetched = async (): Promise<string> => {
      const { content } = await client.cred.fetch({ service: "openrouter" });
      return content;
    };
    const run = await driver.run({
      guard: world.guard,
      tools: [
        { ...tools.search_web, execute: async () => `found ${await fetched()}` },
        {
          ...tools.failing,
          execute: async () => {
            throw new Error(`refused with ${await fetched()}`);
          },
        },
        { ...tools.order_food, execute: () => "ordered" },
      ],
      script: [
        [{ name: "search_web", input: { query: "q" } }],
        [{ name: "failing", input: {} }],
        // `dish` is recorded in clear.
        [{ name: "order_food", input: { dish: secret, price: 1 } }],
        "done",
      ],
    });
    expect(run.answers.map(({ refused }) => refused)).toEqual([false, true, false]);
    expect(run.answers[0]?.text).toContain("[secret:openrouter]");
    const forms = [secret, JSON.stringify(secret).slice(1, -1), ...bearers];
    expectNowhere(forms, { record: world.log(), print: printed(), model: run.answers });
  });
}
