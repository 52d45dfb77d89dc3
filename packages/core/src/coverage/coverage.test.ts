import { expect, test } from "vitest";
import { identity } from "../../test/stand-in.ts";
import { brandGuarded, brandOwn } from "../guard/brand.ts";
import { createClient } from "../client/client.ts";
import { assertCovered, registerInspector } from "./coverage.ts";
import type { Reach } from "./coverage-surface.ts";
import { createGuard } from "../guard/guard.ts";

const client = createClient(identity);
const guard = createGuard({
  client,
  tools: { order: { scope: "s" }, serach: { scope: "s" }, web: { scope: "s" } },
});

/** An agent of a framework that nobody has. */
class Agent {
  readonly reaches: readonly Reach[];

  constructor(...reaches: Reach[]) {
    this.reaches = reaches;
  }
}
registerInspector({ name: "stale", inspect: () => [{ name: "never" }] });
registerInspector({ name: "stale", inspect: () => undefined });
registerInspector({
  name: "toy",
  inspect: (target) => (target instanceof Agent ? target.reaches : undefined),
});

const order = brandGuarded({ name: "order" }, guard);
const search = { execute: guard.wrap("search", () => 1) };

test("lists what an agent reaches and how, to the bottom, and the rows that govern nothing", async () => {
  const helper = new Agent(
    { name: "search", object: search },
    { name: "deeper", inner: new Agent({ name: "rm", path: "tools.rm", object: () => 1 }) },
  );
  const agent = new Agent(
    { name: "order", path: "tools.order", object: order },
    { name: "memory", object: brandOwn({}) },
    { name: "web", how: "provider-executed" },
    { name: "files", how: "mcp", object: {} },
    { name: "guarded_files", how: "mcp", object: brandGuarded({}, guard) },
    { name: "helper", path: "agents.helper", inner: helper },
    { name: "stranger", inner: Symbol("an agent nobody knows") },
    { name: "more", later: async () => [{ name: "late", object: {} }] },
    { name: "broken", path: "tools", later: () => Promise.reject(new Error("no context")) },
  );
  expect(await guard.coverage(agent)).toEqual({
    tools: [
      { name: "order", how: "guarded", path: "tools.order" },
      { name: "memory", how: "agentkeys", path: "memory" },
      { name: "web", how: "provider-executed", path: "web" },
      { name: "files", how: "mcp", path: "files" },
      { name: "guarded_files", how: "guarded", path: "guarded_files" },
      { name: "search", how: "guarded", path: "agents.helper.search" },
      { name: "rm", how: "raw", path: "agents.helper.deeper.tools.rm" },
      { name: "stranger", how: "sub-agent", path: "stranger" },
      { name: "late", how: "raw", path: "late" },
      { name: "broken", how: "dynamic", path: "tools" },
    ],
    unused: ["serach", "web"],
  });
});

test("an agent that reaches itself ends, and is not governed", async () => {
  const reaches: Reach[] = [{ name: "order", object: order }];
  const loop = new Agent();
  Object.assign(loop, { reaches });
  reaches.push({ name: "self", inner: loop });
  const { tools } = await guard.coverage(loop);
  expect(tools.at(-1)).toMatchObject({ how: "sub-agent" });
  expect(() => assertCovered(guard, loop)).toThrow(/self \(sub-agent\)/);
});

test("strict names what is known and not governed", () => {
  const later: Reach = { name: "more", later: () => [{ name: "late" }] };
  expect(() =>
    assertCovered(guard, new Agent({ name: "order", object: order }, later)),
  ).not.toThrow();
  const raw = new Agent(
    { name: "order", object: order },
    { name: "helper", inner: new Agent({ name: "rm" }) },
    { name: "web", how: "provider-executed" },
  );
  expect(() => assertCovered(guard, raw)).toThrow(
    "strict: no guard reaches helper.rm (raw), web (provider-executed)",
  );
});

test("plain functions need no framework; another guard's are raw", async () => {
  const other = createGuard({ client, tools: { order: { scope: "s" } } });
  const mine = guard.wrap("order", () => 1);
  const functions = { order: mine, theirs: other.wrap("order", () => 1), raw: () => 1 };
  const { tools, unused } = await guard.coverage(functions);
  expect(tools.map(({ name, how }) => [name, how])).toEqual([
    ["order", "guarded"],
    ["theirs", "raw"],
    ["raw", "raw"],
  ]);
  expect(unused).toEqual(["serach", "web"]);
  expect((await guard.coverage([mine])).tools).toHaveLength(1);
  expect((await guard.coverage(mine)).tools).toMatchObject([{ how: "guarded" }]);
});

test("what nobody understands is an error and never an empty list", async () => {
  for (const target of [undefined, 7, { model: "m" }, [{}], Symbol("x")]) {
    await expect(guard.coverage(target)).rejects.toMatchObject({ code: "config_invalid" });
  }
});
