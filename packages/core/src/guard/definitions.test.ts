import { expect, test } from "vitest";
import { identity } from "../../test/stand-in.ts";
import { brandOwn } from "./brand.ts";
import { createClient } from "../client/client.ts";
import { registerInspector } from "../coverage/coverage.ts";
import { createGuard } from "./guard.ts";
import type { GuardOptions } from "./guard-surface.ts";
import { toolFingerprint } from "./tool-fingerprint.ts";

/** Tools of a framework that nobody has. */
class Listed {
  readonly tools: readonly { name: string }[];

  constructor(...tools: { name: string }[]) {
    this.tools = tools;
  }
}
registerInspector({
  name: "listed",
  inspect: (target) =>
    target instanceof Listed
      ? target.tools.map((object) => ({ name: object.name, object }))
      : undefined,
});

const pay = { name: "pay", description: "pays", inputSchema: { type: "object" } };
const changed = { ...pay, description: "pays twice" };
const asked: unknown[] = [];
const client = createClient({
  ...identity,
  fetch: async (_, init) => {
    asked.push(JSON.parse(init?.body as string));
    return new Response("", { status: 500 });
  },
});

function guardOf(options: Partial<GuardOptions> = {}) {
  return createGuard({ client, tools: { pay: { scope: "shop.pay" } }, ...options });
}

async function reasonOf(guard: ReturnType<typeof guardOf>, tool = "pay"): Promise<string> {
  const said = await guard.run({ tool, input: {} }, () => "ran");
  return said.status === "ran" ? "ran" : said.reason;
}

/** Nobody answers here: a call that gets as far as the authority was held up by nothing before. */
const reached = "authority_unavailable";

test("only a definition that was accepted gets as far as the authority's decision", async () => {
  const definitions = { pay: await toolFingerprint(pay) };
  const guard = guardOf({ definitions });
  expect(await reasonOf(guard)).toBe("tool_changed");
  await guard.recognize(new Listed(pay));
  expect(await reasonOf(guard)).toBe(reached);
  await guard.recognize(new Listed(changed));
  expect(await reasonOf(guard)).toBe("tool_changed");
  await guard.recognize(
    new Listed({ ...pay, title: "says nothing to the model" } as object as typeof pay),
  );
  expect(await reasonOf(guard)).toBe(reached);
});

test("a tool that nobody named or showed is not concerned", async () => {
  const guard = guardOf();
  await guard.recognize(new Listed({ ...pay, name: "other" }));
  expect(await reasonOf(guard)).toBe(reached);
});

test("one of two of a name is enough to refuse both, in any order", async () => {
  const definitions = { pay: await toolFingerprint(pay) };
  for (const both of [new Listed(pay, changed), new Listed(changed, pay)]) {
    const guard = guardOf({ definitions });
    expect((await guard.recognize(both)).map(({ accepted }) => accepted)).toContain(true);
    expect(await reasonOf(guard)).toBe("tool_changed");
  }
});

test("a definition that cannot be read is refused, and the others are read all the same", async () => {
  const definitions = { pay: await toolFingerprint(pay) };
  const guard = guardOf({ definitions });
  await guard.recognize(new Listed(pay));
  for (const inputSchema of [undefined, "{}", () => ({}), new Map()]) {
    const tools = new Listed({ ...pay, inputSchema } as object as typeof pay, {
      ...pay,
      name: "other",
    });
    await expect(guard.recognize(tools)).rejects.toMatchObject({ code: "config_invalid" });
    expect(await reasonOf(guard)).toBe("tool_changed");
    expect(await reasonOf(guard, "other")).toBe("tool_changed");
  }
});

test("nobody is asked about it, whatever is done with uncertainty", async () => {
  const guard = guardOf({ tools: {}, onUncertain: "ask" });
  await guard.recognize(new Listed(pay));
  expect(await reasonOf(guard)).toBe("tool_changed");
  expect(JSON.stringify(asked)).toContain('"refused":{"reason":"tool_changed"');
  expect(JSON.stringify(asked)).not.toContain('"uncertain"');
});

test("AgentKeys' own tools are not foreign", async () => {
  const own = brandOwn({ ...pay, inputSchema: undefined });
  expect(await guardOf().recognize(new Listed(own))).toEqual([]);
});

test.each([{ pay: "0x12" }, { pay: 1 }, "0x12"])("no map of fingerprints: %j", (definitions) => {
  expect(() => guardOf({ definitions: definitions as never })).toThrow("definitions");
});
