import { decodeEnvelope, inputDigest } from "@agentkeys/contract";
import { type Authority, createAuthority } from "@agentkeys/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { actor, identity, operator as operatorOmni } from "../test/stand-in.ts";
import { createClient } from "./client/client.ts";
import type { Client, ClientOptions } from "./client/client-surface.ts";
import { createGuard } from "./guard/guard.ts";
import type { Guard, GuardOptions } from "./guard/guard-surface.ts";
import { createOperator, type Operator } from "./operator/operator.ts";

const config = {
  vendors: { shop: { token: "env:VENDOR" } },
  operators: { [operatorOmni]: { token: "env:OPERATOR" } },
  actors: {
    [actor]: {
      operator: operatorOmni,
      vendor: "shop",
      scopes: {
        "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
        "web.search": "allow",
        "mail.send": "ask",
      },
    },
  },
} as const;
const env = { VENDOR: identity.token, OPERATOR: "operator-token" };

const closing: (Authority | Client | Operator)[] = [];

afterEach(async () => {
  for (const opened of closing.splice(0).toReversed()) await opened.close();
});

interface Scene {
  authority: Authority;
  client: Client;
  guard: Guard;
  operator: Operator;
  door: Pick<ClientOptions, "url" | "fetch">;
  verdicts(): Promise<string[]>;
}

const doors = {
  "in process": async (authority: Authority) => ({ fetch: authority.fetch }),
  "over a socket": async (authority: Authority) => ({ url: (await authority.listen()).url }),
};

const tools: GuardOptions["tools"] = {
  order_food: {
    scope: "payment.spend",
    params: (i) => ({ amount_rmb: i["price"] }),
    record: ["dish"],
    describe: (i) => `Order ${String(i["dish"])} for ${String(i["price"])} RMB`,
  },
  search: { scope: "web.search" },
  mail: { scope: "mail.send" },
  again: { scope: "mail.send", idempotent: true },
};

async function scene(
  open: (typeof doors)[keyof typeof doors],
  options: Partial<GuardOptions> = {},
): Promise<Scene> {
  const authority = await createAuthority({ data: ":memory:", config, env });
  const door = await open(authority);
  const client = createClient({ ...door, ...identity });
  const operator = createOperator({ ...door, token: env.OPERATOR });
  closing.push(authority, client, operator);
  return {
    authority,
    client,
    operator,
    door,
    guard: createGuard({ client, tools, ...options }),
    verdicts: async () =>
      (await authority.records()).flatMap(({ bytes }) => {
        const { op_kind, op_body } = decodeEnvelope(bytes);
        const { verdict, outcome } = op_body as { verdict?: string; outcome?: string };
        return [240, 110, 111].includes(op_kind) ? [String(verdict ?? outcome)] : [];
      }),
  };
}

const order = (price: number, callId = "c1") => ({
  tool: "order_food",
  input: { dish: "noodles", price },
  callId,
});
const run = { runKey: "thread-1#turn" };
const signalled = new Error("suspended");
const suspend = (): never => {
  throw signalled;
};

function counting(): ((input: unknown) => string) & { ran: number } {
  const count = Object.assign(() => `ran ${++count.ran}`, { ran: 0 });
  return count;
}

describe.each(Object.entries(doors))("%s", (_, open) => {
  test("asked, suspended, approved, run once in another client, replayed in a third", async () => {
    const { guard, operator, door, verdicts } = await scene(open);
    const tool = counting();
    const call = { ...order(400), ...run };
    await expect(guard.run(call, tool, { suspend })).rejects.toBe(signalled);
    await expect(guard.run(call, tool, { suspend })).rejects.toBe(signalled);
    const [approval, ...others] = await operator.approvals.list({ callId: "c1" });
    expect(others).toEqual([]);
    expect(approval).toMatchObject({
      tool: "order_food",
      text: "Order noodles for 400 RMB",
      clear: { dish: "noodles" },
      input_digest: inputDigest(call.input),
      run_key: run.runKey,
      status: "pending",
    });
    if (approval === undefined) throw new Error("no approval");
    const decided = await operator.approvals.approve(approval, { reason: "lunch", by: "ann" });
    expect(decided.approval.decided).toMatchObject({ outcome: "approved", by: "ann" });

    const second = createClient({ ...door, ...identity });
    const third = createClient({ ...door, ...identity });
    closing.push(second, third);
    const resumed = createGuard({ client: second, tools });
    let told: string | undefined;
    const result = await resumed.run(
      call,
      (_input, { approval: id }) => {
        told = id;
        return { table: tool(_input) };
      },
      { suspend },
    );
    expect(result).toEqual({ status: "ran", result: { table: "ran 1" } });
    expect(told).toBe(approval.id);
    const replay = await createGuard({ client: third, tools }).run(call, tool);
    expect(replay).toEqual({ status: "ran", result: { table: "ran 1" }, replayed: true });
    expect(tool.ran).toBe(1);
    expect(await verdicts()).toEqual(["ask_parent", "approved", "accept", "ok"]);
  });

  test("two resumes at once run the tool once", async () => {
    const { guard, operator, door } = await scene(open);
    const other = createClient({ ...door, ...identity });
    closing.push(other);
    const guards = [guard, createGuard({ client: other, tools })];
    const tool = counting();
    const call = { ...order(400), ...run };
    await expect(guard.run(call, tool, { suspend })).rejects.toBe(signalled);
    const [approval] = await operator.approvals.list({ status: "pending" });
    if (approval === undefined) throw new Error("no approval");
    await operator.approvals.approve(approval, { reason: "lunch" });
    const both = [...guards, ...guards];
    const results = await Promise.all(both.map((one) => one.run(call, tool, { suspend })));
    expect(tool.ran).toBe(1);
    expect(results.filter((r) => r.status === "ran" && r.replayed !== true)).toHaveLength(1);
  });

  test("a denied ask is a denial that says by whom and why", async () => {
    const { guard, operator } = await scene(open);
    const tool = counting();
    const call = { ...order(400), ...run };
    const asked = await guard.run(call, tool);
    expect(asked).toMatchObject({
      status: "asked",
      code: "approval_required",
      approval: { text: "Order noodles for 400 RMB", call_id: "c1" },
    });
    const [approval] = await operator.approvals.list();
    if (approval === undefined) throw new Error("no approval");
    await operator.approvals.deny(approval, { reason: "too dear", by: "bob" });
    const denial = await guard.run(call, tool, { suspend });
    expect(denial).toMatchObject({ status: "denied", reason: "approval_denied" });
    expect((denial as { message: string }).message).toContain("too dear");
    await expect(
      operator.approvals.approve(approval, { reason: "after all" }),
    ).rejects.toMatchObject({
      code: "already_decided",
      data: { outcome: "denied", by: "bob", reason: "too dear" },
    });
    expect(tool.ran).toBe(0);
  });

  test("edited input is another call, and the approval of the first lets it not run", async () => {
    const { guard, operator } = await scene(open);
    const tool = counting();
    await expect(guard.run({ ...order(400), ...run }, tool, { suspend })).rejects.toBe(signalled);
    const [approval] = await operator.approvals.list();
    if (approval === undefined) throw new Error("no approval");
    await operator.approvals.approve(approval, { reason: "lunch" });
    expect(await guard.run({ ...order(401), ...run }, tool)).toMatchObject({ status: "asked" });
    expect(await guard.run({ ...order(600), ...run }, tool)).toMatchObject({ status: "denied" });
    expect(tool.ran).toBe(0);
  });

  test("a run that is resumed before the decision is denied, and the ask withdrawn", async () => {
    const { guard, operator } = await scene(open);
    const tool = counting();
    const call = { ...order(400), ...run };
    await guard.run(call, tool);
    expect(await guard.run(call, tool, { resumed: true, suspend })).toMatchObject({
      status: "denied",
      code: "approval_pending",
    });
    expect(await operator.approvals.list({ status: "withdrawn" })).toHaveLength(1);
    expect(tool.ran).toBe(0);
  });

  test("suspended by itself: it goes on, without a second approval", async () => {
    const { guard, operator } = await scene(open);
    const call = { ...order(400), ...run };
    await expect(guard.run(call, counting(), { suspend })).rejects.toBe(signalled);
    const [approval] = await operator.approvals.list();
    if (approval === undefined) throw new Error("no approval");
    await operator.approvals.approve(approval, { reason: "lunch" });
    const outcome = (settled: object) =>
      "error" in settled && settled.error === signalled ? ("suspended" as const) : undefined;
    await expect(guard.run(call, suspend, { outcome })).rejects.toBe(signalled);
    const told: unknown[] = [];
    const result = await guard.run(call, (_input, context) => told.push(context.approval), {
      outcome,
    });
    expect(result).toEqual({ status: "ran", result: 1 });
    expect(told).toEqual([approval.id]);
  });

  test("mayAsk: false creates nothing, and tells", async () => {
    const { guard, operator, verdicts } = await scene(open);
    const denial = await guard.decide(order(400), { mayAsk: false });
    expect(denial).toMatchObject({ status: "asked", code: "approval_required" });
    expect(denial).not.toHaveProperty("approval");
    expect(await operator.approvals.list()).toEqual([]);
    expect(await verdicts()).toEqual([]);
  });

  test("a guard that waits runs on yes, whoever has no id of its own", async () => {
    const { guard, operator, verdicts } = await scene(open, { approval: { waitMs: 20_000 } });
    const stop = new AbortController();
    const person = (async () => {
      for await (const approval of operator.approvals.watch({ signal: stop.signal })) {
        if (approval.status !== "pending") continue;
        await operator.approvals.approve(approval, { reason: "lunch" });
      }
    })();
    const wrapped = guard.wrap("order_food", ({ price }: { dish: string; price: number }) => price);
    expect(await wrapped({ dish: "noodles", price: 400 })).toBe(400);
    expect(await wrapped({ dish: "noodles", price: 400 })).toBe(400);
    stop.abort();
    await person;
    const once = ["ask_parent", "approved", "accept", "ok"];
    expect(await verdicts()).toEqual([...once, ...once]);
  });

  test("a guard that waits is denied on no, and withdraws when time is up or the run ends", async () => {
    const { guard, operator, client } = await scene(open, { approval: { waitMs: 20_000 } });
    const tool = counting();
    const watched = operator.approvals.watch();
    const first = guard.run(order(400), tool);
    const { value } = await watched.next();
    if (value === undefined) throw new Error("no approval");
    await operator.approvals.deny(value, { reason: "too dear" });
    expect(await first).toMatchObject({ status: "denied", reason: "approval_denied" });

    const aborting = new AbortController();
    const second = guard.run({ ...order(401), signal: aborting.signal }, tool);
    await vi.waitFor(async () =>
      expect(await client.approvals.list({ status: "pending" })).toHaveLength(1),
    );
    aborting.abort();
    expect(await second).toMatchObject({ status: "denied", reason: "aborted" });
    await vi.waitFor(async () =>
      expect(await client.approvals.list({ status: "pending" })).toEqual([]),
    );

    const hasty = createGuard({ client, tools, approval: { waitMs: 50 } });
    expect(await hasty.run(order(402), tool)).toMatchObject({ code: "approval_pending" });
    expect(await client.approvals.list({ status: "withdrawn" })).toHaveLength(2);
    expect(tool.ran).toBe(0);
    await watched.return();
  });

  test("a guard that waits withdraws when the run ends while it asks again", async () => {
    const { authority, client, guard: plain } = await scene(open);
    const aborting = new AbortController();
    let begins = 0;
    const fetch = async (...asked: Parameters<Authority["fetch"]>): Promise<Response> => {
      const answer = await authority.fetch(...asked);
      const { body } = asked[1] ?? {};
      if (typeof body === "string" && body.includes("guard/begin") && ++begins === 2) {
        aborting.abort();
      }
      return answer;
    };
    const own = createClient({ fetch, ...identity });
    closing.push(own);
    const guard = createGuard({ client: own, tools, approval: { waitMs: 20_000 } });
    const call = { ...order(400), signal: aborting.signal };
    const tool = counting();
    expect(await guard.run(call, tool)).toMatchObject({ reason: "aborted" });
    await vi.waitFor(async () =>
      expect(await client.approvals.list({ status: "withdrawn" })).toHaveLength(1),
    );
    expect(await plain.run(order(400), tool)).toMatchObject({ reason: "approval_withdrawn" });
    expect(tool.ran).toBe(0);
  });

  test.each([
    ["with an id", order(400)],
    ["without one", { ...order(400), callId: undefined }],
  ])(
    "a run that ends during its very first question leaves no ask behind, %s",
    async (__, asked) => {
      const { authority, client, guard: plain } = await scene(open);
      const aborting = new AbortController();
      const fetch = async (...request: Parameters<Authority["fetch"]>): Promise<Response> => {
        const answer = await authority.fetch(...request);
        const { body } = request[1] ?? {};
        if (typeof body === "string" && body.includes("guard/begin")) aborting.abort();
        return answer;
      };
      const own = createClient({ fetch, ...identity });
      closing.push(own);
      const guard = createGuard({ client: own, tools });
      const tool = counting();
      const denial = await guard.run({ ...asked, signal: aborting.signal }, tool);
      expect(denial).toMatchObject({ status: "denied", reason: "aborted" });
      await vi.waitFor(async () =>
        expect(await client.approvals.list({ status: "withdrawn" })).toHaveLength(1),
      );
      expect(await client.approvals.list({ status: "pending" })).toEqual([]);
      expect(await plain.run(order(200, "c2"), tool)).toMatchObject({ status: "ran" });
      expect(tool.ran).toBe(1);
    },
  );

  test("whatever a name, a result or a row's text holds, what happened is written down", async () => {
    const { client, verdicts } = await scene(open);
    const half = "noodles \ud83c";
    const guard = createGuard({
      client,
      tools: {
        search: { scope: "web.search" },
        told: { scope: "web.search", describe: () => half },
        mapped: { scope: "web.search", params: () => ({ half }) },
      },
    });
    const search = { tool: "search", input: {}, callId: "c1", runKey: "t" };
    expect(await guard.run(search, () => half)).toMatchObject({ status: "ran", result: half });
    expect(await guard.run(search, () => half)).toMatchObject({ code: "already_executed" });
    expect(await guard.run({ tool: "told", input: {} }, () => 1)).toMatchObject({ result: 1 });
    const refused = [
      [{ tool: "mapped", input: {} }, "mapping_failed"],
      [{ ...search, callId: half }, "name_not_text"],
      [{ ...search, runKey: half }, "name_not_text"],
      [{ ...search, tool: half }, "name_not_text"],
    ] as const;
    for (const [call, reason] of refused) {
      expect(await guard.run(call, () => 1)).toMatchObject({ status: "denied", reason });
    }
    const denied = Array.from({ length: 5 }, () => "deny");
    expect(await verdicts()).toEqual(["accept", "ok", "deny", "accept", "ok", ...denied.slice(1)]);
  });

  test("a seam decides, and withdraws what a client has rejected", async () => {
    const { guard, operator, client } = await scene(open, { approval: { waitMs: 20_000 } });
    const asked = await guard.decide(order(400));
    expect(asked).toMatchObject({ status: "asked", approval: { call_id: "c1" } });
    await guard.withdraw({ ...order(401) });
    expect(await client.approvals.list({ status: "pending" })).toHaveLength(1);
    await guard.withdraw(order(400));
    expect(await operator.approvals.list({ status: "withdrawn" })).toHaveLength(1);
  });

  test("a remembered decision lets the next one run, until it is revoked; a denial still wins", async () => {
    const { guard, operator } = await scene(open);
    const tool = counting();
    await guard.run({ ...order(400), ...run }, tool);
    const [approval] = await operator.approvals.list();
    if (approval === undefined) throw new Error("no approval");
    await operator.approvals.approve(approval, {
      reason: "always",
      remember: { match: "tool", for: "actor", ttl: 60 },
    });
    expect(await guard.run(order(450, "c2"), tool)).toMatchObject({ status: "ran" });
    expect(await guard.run(order(600, "c3"), tool)).toMatchObject({
      reason: "daily_spend_cap_exceeded",
    });
    const [rule] = await operator.rules.list();
    if (rule === undefined) throw new Error("no rule");
    expect(await operator.rules.revoke(rule.id, { reason: "enough" })).toMatchObject({
      id: rule.id,
    });
    expect(await operator.rules.list()).toEqual([]);
    expect(await guard.run(order(450, "c4"), tool)).toMatchObject({ status: "asked" });
    expect(tool.ran).toBe(1);
  });

  test("onUncertain: a person decides on a tool without a row, once", async () => {
    const { guard, operator } = await scene(open, { onUncertain: "ask" });
    const tool = counting();
    const call = { tool: "unknown", input: { to: "x" }, callId: "c1", ...run };
    expect(await guard.run(call, tool)).toMatchObject({ status: "asked" });
    const [approval] = await operator.approvals.list();
    if (approval === undefined) throw new Error("no approval");
    expect(approval).toMatchObject({ tool: "unknown", scope: null });
    await operator.approvals.approve(approval, { reason: "fine" });
    expect(await guard.run(call, tool)).toMatchObject({ status: "ran" });
    expect(await guard.run({ ...call, callId: "c2" }, tool)).toMatchObject({ status: "asked" });
    expect(tool.ran).toBe(1);
  });

  test("a revoked actor's asks die, and nothing waits for them", async () => {
    const { guard, operator } = await scene(open, { approval: { waitMs: 20_000 } });
    const tool = counting();
    const waiting = guard.run(order(400), tool);
    await vi.waitFor(async () => expect(await operator.approvals.list()).toHaveLength(1));
    await operator.actors.revoke(actor, { reason: "lost phone" });
    expect(await waiting).toMatchObject({ status: "denied" });
    expect(await operator.approvals.list({ status: "pending" })).toEqual([]);
    expect(tool.ran).toBe(0);
  });

  test("a crash between intent and outcome is not repeated, unless the row says that it may", async () => {
    const { guard } = await scene(open);
    const call = { tool: "search", input: {}, callId: "c1", ...run };
    const safe = createGuard({
      client: guard.client,
      tools: { search: { scope: "web.search", idempotent: true } },
    });
    expect(await guard.open(call)).toMatchObject({ status: "open" });
    const tool = counting();
    expect(await guard.run(call, tool)).toMatchObject({ code: "outcome_unknown" });
    expect(tool.ran).toBe(0);
    expect(await safe.run(call, tool)).toMatchObject({ status: "ran", result: "ran 1" });
  });

  test("the operator decides on what it has read, and on nothing else", async () => {
    const { guard, operator, client } = await scene(open, { approval: { showInput: true } });
    await guard.run(order(400), counting());
    const [approval] = await operator.approvals.list();
    if (approval === undefined) throw new Error("no approval");
    expect(approval.input).toEqual(order(400).input);
    expect((await client.approvals.list())[0]).not.toHaveProperty("input");
    const said = { reason: "lunch" };
    for (const changed of [
      { text: "Order tea" },
      { call_id: "c2" },
      { digest: approval.digest.replace(/.$/, "z") },
    ]) {
      await expect(
        operator.approvals.approve({ ...approval, ...changed }, said),
      ).rejects.toMatchObject({ code: "conflict" });
    }
    await expect(operator.approvals.approve(approval.id, said)).rejects.toMatchObject({
      code: "invalid_params",
    });
    await expect(
      operator.approvals.approve(approval.id, { ...said, digest: inputDigest("other") }),
    ).rejects.toMatchObject({ code: "conflict" });
    const { digest } = approval;
    expect(await operator.approvals.approve(approval.id, { ...said, digest })).toMatchObject({
      approval: { status: "approved" },
    });
  });

  test("an agent's token can look and take back, and never decide", async () => {
    const { guard, client, door } = await scene(open);
    const asked = await guard.run(order(400), counting());
    const agent = createOperator({ ...door, token: identity.token });
    closing.push(agent);
    const [approval] = await client.approvals.list();
    if (approval === undefined || !("approval" in asked)) throw new Error("no approval");
    for (const decide of [agent.approvals.approve, agent.approvals.deny]) {
      await expect(decide(approval, { reason: "mine" })).rejects.toMatchObject({
        code: "forbidden",
      });
    }
    const mine = client.approvals.watch();
    expect(await mine.next()).toMatchObject({ value: { id: approval.id, status: "pending" } });
    expect(await client.approvals.withdraw(approval.id)).toMatchObject({ status: "withdrawn" });
    expect(await mine.next()).toMatchObject({ value: { id: approval.id, status: "withdrawn" } });
    await mine.return();
  });

  test("a watch ends when its operator or client closes", async () => {
    const { client, operator } = await scene(open);
    const watches = [client.approvals.watch(), operator.approvals.watch()];
    const ended = watches.map((watch) => watch.next());
    await Promise.all([client.close(), operator.close()]);
    expect(await Promise.all(ended)).toEqual([{ done: true }, { done: true }]);
  });

  test("a client that closes while it waits withdraws, and nothing runs", async () => {
    const { guard, client, operator } = await scene(open, { approval: { waitMs: 20_000 } });
    const tool = counting();
    const waiting = guard.run(order(400), tool);
    await vi.waitFor(async () => expect(await operator.approvals.list()).toHaveLength(1));
    await client.close();
    expect(await waiting).toMatchObject({ status: "denied", reason: "aborted" });
    expect(await operator.approvals.list({ status: "withdrawn" })).toHaveLength(1);
    expect(tool.ran).toBe(0);
  });
});
