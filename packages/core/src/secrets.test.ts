import { type Authority, createAuthority } from "@agentkeys/server";
import { afterEach, expect, test } from "vitest";
import { actor, canary, identity, operator as operatorOmni } from "../test/stand-in.ts";
import { createClient } from "./client/client.ts";
import type { Client } from "./client/client-surface.ts";
import { createGuard } from "./guard/guard.ts";
import type { Guard } from "./guard/guard-surface.ts";
import { createOperator, type Operator } from "./operator/operator.ts";

const closing: (Authority | Client | Operator)[] = [];

afterEach(async () => {
  for (const opened of closing.splice(0).toReversed()) await opened.close();
});

const secret = `${canary}-41f7`;
const env = { VENDOR: identity.token, OPERATOR: "operator-token" };
const config = {
  vendors: { shop: { token: "env:VENDOR" } },
  operators: { [operatorOmni]: { token: "env:OPERATOR" } },
  actors: {
    [actor]: {
      operator: operatorOmni,
      vendor: "shop",
      services: ["bank"],
      scopes: { "cred.read": "allow", "cred.write": "allow", "web.search": "allow", pay: "ask" },
    },
  },
};

async function scene(): Promise<{ guard: Guard; operator: Operator; written(): Promise<string> }> {
  const authority = await createAuthority({ data: ":memory:", config, env });
  const door = { fetch: authority.fetch };
  const program = createClient({ ...door, ...identity });
  const client = createClient({ ...door, ...identity });
  const operator = createOperator({ ...door, token: env.OPERATOR });
  closing.push(authority, program, client, operator);
  await program.cred.store({ service: "bank", content: secret });
  expect((await client.cred.fetch({ service: "bank" })).content).toBe(secret);
  const guard = createGuard({
    client,
    approval: { showInput: true },
    tools: {
      search: { scope: "web.search", record: ["q"] },
      pay: {
        scope: "pay",
        params: ({ q }) => ({ q }),
        record: ["q"],
        describe: ({ q }) => `pay with ${String(q)}`,
      },
    },
  });
  const written = async (): Promise<string> =>
    (await authority.records()).map(({ bytes }) => Buffer.from(bytes).toString("latin1")).join();
  return { guard, operator, written };
}

const call = { tool: "search", input: { q: secret }, callId: "c1" };

test("a credential reaches the tool, and neither what it gives, what it throws, nor the record", async () => {
  const { guard, written } = await scene();
  const seen: unknown[] = [];
  const ran = await guard.run({ ...call, runKey: "r1" }, ({ q }) => ({ found: seen.push(q), q }));
  expect(seen).toEqual([secret]);
  expect(ran).toEqual({ status: "ran", result: { found: 1, q: "[secret:bank]" } });
  expect(await guard.run({ ...call, runKey: "r1" }, () => "again")).toEqual({
    status: "ran",
    result: { found: 1, q: "[secret:bank]" },
    replayed: true,
  });
  const thrown = new Error(`no such account: ${secret}`);
  const failing = guard.run(call, () => {
    throw thrown;
  });
  await expect(failing).rejects.toBe(thrown);
  expect(`${thrown.message} ${thrown.stack}`).not.toContain(canary);
  const stream = guard.wrap("search", async function* ({ q }: { q: string }) {
    yield q;
    return q;
  })({ q: secret });
  expect(await stream.next()).toEqual({ done: false, value: "[secret:bank]" });
  expect(await stream.next()).toEqual({ done: true, value: "[secret:bank]" });
  expect(await written()).not.toContain(canary);
});

test("what a person reads does not hold it, nor what the model is told", async () => {
  const { guard, operator, written } = await scene();
  const denial = await guard.run({ ...call, tool: "pay" }, () => "paid");
  expect(denial).toMatchObject({ status: "asked", approval: { text: "pay with [secret:bank]" } });
  expect(JSON.stringify(denial)).not.toContain(canary);
  const approvals = JSON.stringify(await operator.approvals.list());
  expect(approvals).toContain("[secret:bank]");
  expect(approvals).not.toContain(canary);
  expect(await written()).not.toContain(canary);
});

test("a framework's signal passes as it is", async () => {
  const { guard } = await scene();
  const signal = Object.assign(new Error(secret), { value: { secret } });
  const outcome = (): "suspended" => "suspended";
  const suspending = guard.run(
    call,
    () => {
      throw signal;
    },
    { outcome },
  );
  await expect(suspending).rejects.toBe(signal);
  const ran = await guard.run(
    call,
    async function* () {
      yield 1;
      throw signal;
    },
    { outcome },
  );
  if (ran.status !== "ran") throw new Error(ran.message);
  await ran.result.next();
  await expect(ran.result.next()).rejects.toBe(signal);
  expect(signal.value).toEqual({ secret });
  expect(signal.message).toBe(secret);
});

test("what cannot be looked through is given to nobody, and that it ran is written down", async () => {
  const { guard, written } = await scene();
  let ran = 0;
  const trap = new Proxy(
    {},
    {
      getPrototypeOf() {
        throw new Error(`trap of ${secret}`);
      },
    },
  );
  const failing = guard.run({ tool: "search", input: {} }, () => {
    ran += 1;
    return trap;
  });
  await expect(failing).rejects.toThrow("trap of [secret:bank]");
  expect(ran).toBe(1);
  expect(await written()).toContain("is_error");
});
