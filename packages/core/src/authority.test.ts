import { decodeEnvelope, inputDigest } from "@agentkeys/contract";
import { type Authority, createAuthority } from "@agentkeys/server";
import { afterEach, describe, expect, test, vi } from "vitest";
import { actor, identity, operator } from "../test/stand-in.ts";
import { createClient } from "./client/client.ts";
import type { Client, ClientOptions } from "./client/client-surface.ts";
import { createGuard } from "./guard/guard.ts";
import { createOperator } from "./operator/operator.ts";
import { ownTools } from "./guard/own-tools.ts";
import { wireOf } from "./transport/wire.ts";

const env = {
  MCP_VENDOR_TOKENS: `shop:${identity.token}`,
  MCP_DEFAULT_OPERATOR_OMNI: operator,
  AGENTKEYS_OPERATOR_TOKEN: "operator-token",
};

const closing: (Authority | Client)[] = [];

afterEach(async () => {
  for (const opened of closing.splice(0).toReversed()) await opened.close();
});

interface Scene {
  authority: Authority;
  client: Client;
  door: Pick<ClientOptions, "url" | "fetch">;
  /** op_kind, result and body of every record from the guard and of what concerns it. */
  log(): Promise<
    { op_kind: number; result: number; body: Record<string, unknown>; hash: string }[]
  >;
}

const doors = {
  "in process": async (authority: Authority) => ({ fetch: authority.fetch }),
  "over a socket": async (authority: Authority) => ({ url: (await authority.listen()).url }),
};

async function scene(
  open: (typeof doors)[keyof typeof doors],
  surface: "v1" | "default" = "default",
): Promise<Scene> {
  const authority = await createAuthority({ data: ":memory:", env, surface });
  const door = await open(authority);
  const client = createClient({ ...door, ...identity });
  closing.push(authority, client);
  return {
    authority,
    client,
    door,
    log: async () =>
      (await authority.records()).map(({ bytes, envelope_hash }) => {
        const { op_kind, result, op_body } = decodeEnvelope(bytes);
        return { op_kind, result, body: op_body as Record<string, unknown>, hash: envelope_hash };
      }),
  };
}

const tools = {
  order_food: {
    scope: "payment.spend",
    params: (i: { [key: string]: unknown }) => ({ amount_rmb: i["price"] }),
    record: ["dish"],
  },
};
const order = (price: number) => ({ tool: "order_food", input: { dish: "noodles", price } });

describe.each(Object.entries(doors))("%s", (_, open) => {
  test.each(["default", "v1"] as const)(
    "%s: intent and outcome are two linked records",
    async (surface) => {
      const { client, log } = await scene(open, surface);
      const guard = createGuard({ client, tools });
      expect(await guard.run(order(200), ({ price }) => price)).toEqual({
        status: "ran",
        result: 200,
      });
      expect(await guard.run(order(600), () => "ran")).toMatchObject({
        status: "denied",
        reason: "daily_spend_cap_exceeded",
        message:
          "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
      });
      const rows = (await log()).filter(({ op_kind }) => op_kind === 240 || op_kind === 110);
      const [intent, outcome, refused] = rows;
      expect(rows).toHaveLength(3);
      expect(intent).toMatchObject({
        op_kind: 240,
        result: 0,
        body: {
          tool: "order_food",
          scope: "payment.spend",
          verdict: "accept",
          reason: "within_daily_cap",
          input_digest: inputDigest(order(200).input),
          clear: { dish: "noodles" },
        },
      });
      expect(outcome).toMatchObject({
        op_kind: 110,
        result: 0,
        body: { tool: "order_food", is_error: false, outcome: "ok", intent: intent?.hash },
      });
      expect(refused).toMatchObject({ op_kind: 240, result: 2, body: { verdict: "deny" } });
      expect(wireOf(client).fused).toBe(surface === "default");
    },
  );

  test("a throw, a refusal of the client's, an own tool without a scope", async () => {
    const { client, log } = await scene(open);
    const guard = createGuard({ client, tools });
    const failing = guard.run(order(200), () => {
      throw new Error("kitchen");
    });
    await expect(failing).rejects.toThrow("kitchen");
    await guard.run({ tool: "delete_all", input: { all: new Map() } }, () => "ran");
    ownTools(client, { prefix: "ak_" }, { byName: true });
    expect(await guard.run({ tool: "ak_identity_whoami", input: {} }, () => "me")).toMatchObject({
      status: "ran",
    });
    const rows = await log();
    expect(rows.map(({ op_kind, result }) => [op_kind, result])).toEqual([
      [240, 0],
      [110, 1],
      [240, 2],
      [240, 0],
      [110, 0],
    ]);
    expect(rows[2]?.body).toMatchObject({
      scope: null,
      input_digest: null,
      verdict: "deny",
      reason: "input_not_copyable",
    });
  });

  test("a session's capabilities are verified, and gone when it ends", async () => {
    const { client } = await scene(open);
    const session = await client.session({ ttl: 60 });
    await session.memory.put({ namespace: "travel", content: "Chengdu" });
    expect((await session.memory.get({ namespace: "travel" })).content).toBe("Chengdu");
    const { cap } = await client.cap.mint({
      op: "memory_get",
      params: { service: "memory:travel" },
      ttl: 60,
    });
    await client.memory.get({ namespace: "travel", cap });
    await client.cap.revoke({ cap_id: cap.payload.nonce });
    await expect(client.memory.get({ namespace: "travel", cap })).rejects.toMatchObject({
      code: "cap_revoked",
    });
    await session.close();
  });

  test("a revoked actor is refused at its next call, in every way", async () => {
    const { client, door } = await scene(open);
    const guard = createGuard({ client, tools });
    expect(await guard.run(order(200), () => 1)).toMatchObject({ status: "ran" });
    await using operators = createOperator({ ...door, token: "operator-token" });
    expect(await operators.actors.revoke(actor, { reason: "lost phone" })).toMatchObject({
      ok: true,
      actor,
    });
    expect(await guard.run(order(200), () => 1)).toMatchObject({
      status: "denied",
      reason: "actor_revoked",
    });
    await expect(client.memory.get({ namespace: "travel" })).rejects.toMatchObject({
      code: "actor_revoked",
      message: `actor revoked: ${actor}`,
    });
  });

  test("an agent's token is no operator's", async () => {
    const { door } = await scene(open);
    await using operators = createOperator({ ...door, token: identity.token });
    await expect(operators.actors.revoke(actor, { reason: "r" })).rejects.toMatchObject({
      code: "forbidden",
    });
    await using nobody = createOperator({ ...door, token: "guess" });
    await expect(nobody.actors.revoke(actor, { reason: "r" })).rejects.toMatchObject({
      code: "unauthorized",
    });
  });
});

test("a begin whose answer was lost is ended as not run, whichever comes first", async () => {
  const { authority, log } = await scene(doors["in process"]);
  for (const when of ["before", "after"] as const) {
    const before = (await log()).length;
    let lost: Promise<unknown> | undefined;
    const client = createClient({
      ...identity,
      timeoutMs: 100,
      fetch: async (url, init) => {
        if (!(init.body as string).includes("guard/begin")) return authority.fetch(url, init);
        const { signal: _, ...rest } = init;
        const arrive = (): void => {
          lost = authority.fetch(url, rest);
        };
        if (when === "before") arrive();
        else setTimeout(arrive, 300);
        return new Promise(() => {});
      },
    });
    const guard = createGuard({ client, tools });
    const denial = await guard.run(order(200), () => "ran");
    expect(denial).toMatchObject({ code: "authority_unavailable" });
    await client.close();
    await vi.waitFor(() => expect(lost).toBeDefined());
    await lost;
    const rows = (await log()).slice(before);
    expect(rows.map(({ body }) => body["outcome"] ?? body["verdict"])).toEqual(
      when === "before" ? ["accept", "not_run"] : [],
    );
  }
});
