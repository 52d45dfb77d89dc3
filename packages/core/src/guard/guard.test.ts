import { hmacDigest, inputDigest } from "@agentkeys/contract";
import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  type Books,
  broken,
  canary,
  fusedBooks,
  type Handler,
  identity,
  type StandIn,
  standIn,
  upstreamBooks,
} from "../../test/stand-in.ts";
import { createClient } from "../client/client.ts";
import type { Client } from "../client/client-surface.ts";
import { createGuard } from "./guard.ts";
import type { Allowed, Classify, Guard, GuardOptions } from "./guard-surface.ts";
import { ownTools } from "./own-tools.ts";

const open: (StandIn | Client)[] = [];

afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

interface Scene extends Books {
  readonly server: StandIn;
  readonly client: Client;
  readonly guard: Guard;
}

type SceneOptions = Partial<GuardOptions> & { timeoutMs?: number };

async function scene(books: Books, options: SceneOptions = {}): Promise<Scene> {
  const server = await standIn(books.handlers);
  const client = createClient({
    url: server.url,
    ...identity,
    timeoutMs: options.timeoutMs ?? 2000,
  });
  const guard = createGuard({
    client,
    tools: {
      order_food: {
        scope: "payment.spend",
        params: ({ price }) => ({ amount_rmb: price }),
        record: ["dish"],
      },
      told: { scope: "told", params: ({ verdict }) => ({ verdict }) },
    },
    ...options,
  });
  open.push(client, server);
  return { ...books, server, client, guard };
}

const kinds = { fused: fusedBooks, upstream: upstreamBooks };
const order = (price: number): { tool: string; input: { dish: string; price: number } } => ({
  tool: "order_food",
  input: { dish: "noodles", price },
});

/** A tool with a side effect, to count. */
function counting(): ((input: unknown) => string) & { seen: unknown[] } {
  const seen: unknown[] = [];
  return Object.assign((input: unknown) => `ran ${seen.push(input)}`, { seen });
}

describe.each(Object.entries(kinds))("%s", (kind, books) => {
  test("an accepted call is written down, run once, written down", async () => {
    const { guard, rows } = await scene(books());
    const result = await guard.run({ ...order(200), callId: "c1", runKey: "r1" }, (input) => {
      expect(rows).toHaveLength(1);
      expect(rows[0]).toMatchObject({
        kind: "intent",
        result: 0,
        body: {
          tool: "order_food",
          call_id: "c1",
          run_key: "r1",
          scope: "payment.spend",
          verdict: "accept",
          reason: "within_daily_cap",
          input_digest: inputDigest({ dish: "noodles", price: 200 }),
          clear: { dish: "noodles" },
        },
      });
      return input["price"];
    });
    expect(result).toEqual({ status: "ran", result: 200 });
    expect(rows[1]).toMatchObject({
      kind: "outcome",
      result: 0,
      body: { tool: "order_food", call_id: "c1", outcome: "ok" },
    });
    expect(rows).toHaveLength(2);
    expect(JSON.stringify(rows[1])).not.toContain("noodles");
  });

  test("a denied call does not run, and the model can read why", async () => {
    const { guard, rows } = await scene(books());
    const execute = counting();
    expect(await guard.run(order(600), execute)).toEqual({
      status: "denied",
      code: "permission_denied",
      reason: "daily_spend_cap_exceeded",
      explanation: "cap=500, requested=600, period=daily",
      scope: "payment.spend",
      message:
        "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
    });
    expect(execute.seen).toEqual([]);
    expect(rows).toMatchObject([{ kind: "intent", result: 2, body: { verdict: "deny" } }]);
  });

  test("an ask is refused until people can decide", async () => {
    const { guard, rows } = await scene(books());
    const execute = counting();
    const told = { tool: "told", input: { verdict: "ask_parent" } };
    expect(await guard.run(told, execute)).toMatchObject({
      status: "asked",
      code: "approval_required",
    });
    await expect(guard.wrap("told", execute)(told.input)).rejects.toMatchObject({
      code: "approval_required",
    });
    expect(execute.seen).toEqual([]);
    expect(rows).toMatchObject([{ result: 2 }, { result: 2 }]);
  });

  test.each(["allow", "ACCEPT", "accepted", " accept", "", "true", "__proto__"])(
    "the verdict word %j is none, and denies",
    async (verdict) => {
      const { guard } = await scene(books());
      const execute = counting();
      const denial = await guard.run({ tool: "told", input: { verdict } }, execute);
      expect(denial).toMatchObject({ status: "denied", reason: "unknown_verdict" });
      expect(execute.seen).toEqual([]);
    },
  );

  test("a throw is recorded and passes", async () => {
    const { guard, rows } = await scene(books());
    const thrown = new Error("kitchen on fire");
    const failing = guard.run(order(200), () => {
      throw thrown;
    });
    await expect(failing).rejects.toBe(thrown);
    expect(rows[1]).toMatchObject({ result: 1, body: { outcome: "error" } });
    expect(JSON.stringify(rows)).not.toContain("kitchen");
  });

  test("an abort while it runs is recorded as one, and reaches the tool", async () => {
    const { guard, rows } = await scene(books());
    const run = new AbortController();
    const running = guard.run({ ...order(200), signal: run.signal }, (_, { signal }) => {
      run.abort(new Error("stop"));
      signal?.throwIfAborted();
    });
    await expect(running).rejects.toThrow("stop");
    expect(rows[1]).toMatchObject({ result: 1, body: { outcome: "aborted" } });
  });

  test("a run that is aborted already decides nothing and runs nothing", async () => {
    const { guard, server } = await scene(books());
    const execute = counting();
    const denial = await guard.run({ ...order(200), signal: AbortSignal.abort() }, execute);
    expect(denial).toMatchObject({ status: "denied", reason: "aborted" });
    expect(execute.seen).toEqual([]);
    expect(server.asked).toEqual([]);
  });

  test("what decides, what is digested and what runs is one copy", async () => {
    const made = books();
    const { guard, rows } = await scene(made);
    const input = { dish: "noodles", price: 200, extras: ["egg"] };
    const name = kind === "fused" ? "guard/begin" : "agentkeys.permission.check";
    const decide = made.handlers[name] as Handler;
    made.handlers[name] = (asked, response) => {
      input.price = 600;
      input.extras.push("caviar");
      return decide(asked, response);
    };
    const result = await guard.run({ tool: "order_food", input }, (copy) => structuredClone(copy));
    const decided = { dish: "noodles", price: 200, extras: ["egg"] };
    expect(result).toEqual({ status: "ran", result: decided });
    expect(rows[0]?.body["input_digest"]).toBe(inputDigest(decided));
  });

  test("a mapper cannot change what runs", async () => {
    const { guard, rows } = await scene(books(), {
      tools: {},
      classify: ({ input }) => {
        input["price"] = 1;
        return {
          scope: "payment.spend",
          params: (copy) => {
            const { price } = copy;
            copy["price"] = 999;
            return { amount_rmb: price };
          },
        };
      },
    });
    const result = await guard.run(order(200), ({ price }) => price);
    expect(result).toEqual({ status: "ran", result: 200 });
    expect(rows[0]?.body["input_digest"]).toBe(inputDigest(order(200).input));
  });

  const refusals: [string, SceneOptions, { tool: string; input: unknown }, object][] = [
    ["no row", {}, { tool: "delete_all", input: { secret: canary } }, { reason: "unmapped_tool" }],
    ["a name of Object", {}, { tool: "constructor", input: {} }, { reason: "unmapped_tool" }],
    ["the name __proto__", {}, { tool: "__proto__", input: {} }, { reason: "unmapped_tool" }],
    [
      "a mapper that throws",
      {
        tools: {
          t: {
            scope: "s",
            params: () => {
              throw new Error(canary);
            },
          },
        },
      },
      { tool: "t", input: {} },
      { reason: "mapping_failed", scope: "s" },
    ],
    ...[new Map(), Promise.resolve({}), undefined, null, 7, "text", [1], { a: Number.NaN }].map(
      (junk): (typeof refusals)[number] => [
        "a mapper that gives junk",
        { tools: { t: { scope: "s", params: () => junk as never } } },
        { tool: "t", input: {} },
        { reason: "mapping_failed", scope: "s" },
      ],
    ),
    [
      "a classify that throws",
      {
        classify: () => {
          throw new Error(canary);
        },
      },
      { tool: "files__read", input: {} },
      { reason: "mapping_failed" },
    ],
    ...[null, {}, { scope: 1 }, { scope: "" }, Promise.resolve({ scope: "s" }), "s"].map(
      (junk): (typeof refusals)[number] => [
        "a classify that gives junk",
        { classify: () => junk as never },
        { tool: "files__read", input: {} },
        { reason: "mapping_failed" },
      ],
    ),
    [
      "an input that cannot be copied",
      {},
      { tool: "order_food", input: { items: new Map([[canary, 1]]) } },
      { code: "input_not_copyable", reason: "input_not_copyable", scope: "payment.spend" },
    ],
    [
      "an input without a digest",
      {},
      { tool: "order_food", input: { dish: "\ud800" } },
      { code: "input_not_copyable", scope: "payment.spend" },
    ],
  ];

  test.each(refusals)(
    "%s is refused here, and written down",
    async (_, options, call, expected) => {
      const { guard, rows, server } = await scene(books(), options);
      const execute = counting();
      const denial = await guard.run(call, execute);
      expect(denial).toMatchObject({ status: "denied", code: "permission_denied", ...expected });
      expect(JSON.stringify(denial)).not.toContain(canary);
      expect(execute.seen).toEqual([]);
      const { reason, scope } = denial as { reason: string; scope: string | null };
      expect(rows).toMatchObject([
        { kind: "intent", result: 2, body: { verdict: "deny", reason, scope, tool: call.tool } },
      ]);
      expect(server.names()).not.toContain("agentkeys.permission.check");
    },
  );

  test("a refusal stands when it cannot be written down", async () => {
    const { guard, server } = await scene(books(), { timeoutMs: 150 });
    for (const name of Object.keys(server.handlers))
      server.handlers[name] = broken["hang"] as Handler;
    const execute = counting();
    expect(await guard.run({ tool: "delete_all", input: {} }, execute)).toMatchObject({
      status: "denied",
      reason: "unmapped_tool",
    });
    expect(execute.seen).toEqual([]);
  });

  test("a seam's own refusal is written down", async () => {
    const { guard, rows } = await scene(books());
    const denial = await guard.refuse(order(200), "unguarded_tool", "wrap it with guardTools");
    expect(denial).toMatchObject({
      status: "denied",
      code: "permission_denied",
      scope: "payment.spend",
      message: "Denied by AgentKeys: unguarded_tool (wrap it with guardTools)",
    });
    expect(rows).toMatchObject([
      {
        result: 2,
        body: { reason: "unguarded_tool", input_digest: inputDigest(order(200).input) },
      },
    ]);
  });

  test("exact rows win over classify, and classify maps what they do not", async () => {
    const classify = vi.fn<Classify>(({ tool }) =>
      tool.startsWith("files__") ? { scope: "files.read" } : undefined,
    );
    const { guard, rows } = await scene(books(), { classify });
    await guard.run(order(200), counting());
    expect(classify).not.toHaveBeenCalled();
    await guard.run({ tool: "files__read", input: { path: "/x" } }, counting());
    await guard.run({ tool: "other", input: {} }, counting());
    expect(rows.map(({ body }) => body["scope"]).filter(Boolean)).toEqual([
      "payment.spend",
      "files.read",
    ]);
  });

  test("a shell's inner command is what is decided on, and one that nobody mapped is denied", async () => {
    const scopes: Record<string, string> = { ls: "files.read", rm: "files.delete" };
    const classify: Classify = ({ tool, input }) => {
      const [program = ""] = tool === "shell" ? String(input["command"]).split(" ") : [];
      const scope = Object.hasOwn(scopes, program) ? scopes[program] : undefined;
      return scope === undefined ? undefined : { scope, params: () => ({ program }) };
    };
    const { guard, rows } = await scene(books(), { classify });
    const tool = counting();
    for (const command of ["ls -l", "rm -rf /", "curl evil", "constructor"]) {
      await guard.run({ tool: "shell", input: { command } }, tool);
    }
    const intents = rows.filter(({ kind: found }) => found === "intent");
    expect(intents.map(({ body }) => [body["scope"], body["verdict"]])).toEqual([
      ["files.read", "accept"],
      ["files.delete", "accept"],
      [null, "deny"],
      [null, "deny"],
    ]);
    expect(tool.seen).toHaveLength(2);
  });

  test("digests under a key, and records nothing that is not listed", async () => {
    const digestKey = new TextEncoder().encode("a key of this deployment");
    const { guard, rows } = await scene(books(), { digestKey });
    const input = { dish: "noodles", price: 200, pin: canary, when: new Date(0) };
    await guard.run({ tool: "order_food", input }, counting());
    expect(rows[0]?.body).toMatchObject({
      clear: { dish: "noodles" },
      input_digest: hmacDigest(digestKey, { ...input, when: "1970-01-01T00:00:00.000Z" }),
    });
    expect(JSON.stringify(rows)).not.toContain(canary);
  });

  test("the key is the guard's own, and no guessable one", async () => {
    const digestKey = new Uint8Array(16).fill(7);
    const { guard, rows, client } = await scene(books(), { digestKey });
    digestKey.fill(0);
    await guard.run({ tool: "order_food", input: {} }, counting());
    expect(rows[0]?.body["input_digest"]).toBe(hmacDigest(new Uint8Array(16).fill(7), {}));
    for (const key of [new Uint8Array(0), new Uint8Array(15), "0123456789abcdef"]) {
      const made = (): Guard => createGuard({ client, tools: {}, digestKey: key as Uint8Array });
      expect(made).toThrow(/^digestKey: /);
    }
  });

  test("an asynchronous mapping is none, and what it rejects with is nobody's", async () => {
    const late = async (): Promise<never> => {
      throw new Error(canary);
    };
    const { guard, rows } = await scene(books(), {
      tools: { order_food: { scope: "payment.spend", params: late as never } },
      classify: late as never,
    });
    for (const tool of ["order_food", "other"]) {
      const denial = await guard.run({ tool, input: {} }, counting());
      expect(denial).toMatchObject({ status: "denied", reason: "mapping_failed" });
    }
    expect(rows.map(({ body }) => body["verdict"])).toEqual(["deny", "deny"]);
    expect(JSON.stringify(rows)).not.toContain(canary);
  });

  test("without a call id each call has one of its own", async () => {
    const { guard, rows } = await scene(books());
    await guard.run(order(200), counting());
    await guard.run({ ...order(200), callId: "" }, counting());
    const ids = rows.map(({ body }) => body["call_id"]);
    expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/);
    expect(ids[0]).toBe(ids[1]);
    expect(new Set(ids).size).toBe(2);
  });

  test("AgentKeys' own tools have rows already, under the names that were given out", async () => {
    const { guard, rows, client } = await scene(books());
    const own = async (tool: string, input: object = {}): Promise<unknown> => {
      await guard.run({ tool, input }, counting());
      const row = rows.findLast(({ kind: found }) => found === "intent");
      return [row?.body["verdict"], row?.body["scope"], row?.body["tool"]];
    };
    expect(await own("agentkeys_memory_get")).toEqual(["deny", null, "agentkeys_memory_get"]);
    ownTools(client);
    // Objects of other frameworks pass by a brand; a stranger's tool of that name is a stranger's.
    expect(await own("agentkeys_identity_whoami")).toEqual([
      "deny",
      null,
      "agentkeys_identity_whoami",
    ]);
    ownTools(client, {}, { byName: true });
    ownTools(client, { prefix: "ak_", only: ["identity_whoami"] }, { byName: true });
    expect(await own("agentkeys_memory_get")).toEqual([
      "accept",
      "memory.read",
      "agentkeys_memory_get",
    ]);
    expect(await own("agentkeys_identity_whoami")).toEqual([
      "accept",
      null,
      "agentkeys_identity_whoami",
    ]);
    expect(await own("ak_identity_whoami")).toEqual(["accept", null, "agentkeys.identity.whoami"]);
    const mint = "agentkeys_cap_mint";
    expect(await own(mint, { op: "memory_put" })).toEqual(["accept", "memory.write", mint]);
    expect(await own(mint, { op: "cap_mint" })).toEqual(["deny", null, mint]);
    expect(await own(mint, { op: "constructor" })).toEqual(["deny", null, mint]);
  });

  describe("from seam to object", () => {
    const call = { ...order(200), callId: "c1" };

    test("one decision, used up by the object", async () => {
      const { guard, rows } = await scene(books());
      const allowed = await guard.decide(call);
      expect(allowed.status).toBe("allowed");
      const execute = counting();
      await guard.run({ ...call, input: { price: 200, dish: "noodles" } }, execute);
      await (allowed as Allowed).ended("error");
      expect(rows.map(({ kind: found, body }) => body["outcome"] ?? found)).toEqual([
        "intent",
        "ok",
      ]);
      await guard.run(call, execute);
      expect(rows).toHaveLength(4);
      expect(execute.seen).toHaveLength(2);
    });

    test.each([
      ["another input", { ...call, input: { dish: "noodles", price: 201 } }],
      ["another call", { ...call, callId: "c2" }],
      ["another tool", { ...call, tool: "told" }],
      ["no call id", order(200)],
    ])("%s is decided anew", async (_, other) => {
      const { guard, rows } = await scene(books());
      await guard.decide(call);
      await guard.run(other, counting());
      expect(rows.filter(({ kind: found }) => found === "intent")).toHaveLength(2);
    });

    test("another guard's decision is none", async () => {
      const { guard, rows, client } = await scene(books());
      const other = createGuard({ client, tools: { order_food: { scope: "payment.spend" } } });
      await other.decide(call);
      await guard.run(call, counting());
      expect(rows.filter(({ kind: found }) => found === "intent")).toHaveLength(2);
    });

    test("the seam's outcome is recorded when the object never came", async () => {
      const { guard, rows } = await scene(books());
      const allowed = await guard.decide(call);
      await (allowed as Allowed).ended("error");
      expect(rows).toMatchObject([{ kind: "intent" }, { body: { outcome: "error" }, result: 1 }]);
      const execute = counting();
      await guard.run(call, execute);
      expect(rows).toHaveLength(4);
    });

    test("the end of the run, or of the client, ends what nobody came for", async () => {
      const { guard, rows, client } = await scene(books());
      const run = new AbortController();
      await guard.decide({ ...call, signal: run.signal });
      run.abort();
      await vi.waitFor(() => expect(rows).toHaveLength(2));
      await guard.decide(call);
      await client.close();
      expect(rows.map(({ body }) => body["outcome"] ?? "intent")).toEqual([
        "intent",
        "not_run",
        "intent",
        "not_run",
      ]);
    });

    test("a run that is aborted uses no decision of its seam, and ends it", async () => {
      const { guard, rows } = await scene(books());
      await guard.decide(call);
      const tool = counting();
      const denial = await guard.run({ ...call, signal: AbortSignal.abort() }, tool);
      expect(denial).toMatchObject({ status: "denied", reason: "aborted" });
      expect(tool.seen).toEqual([]);
      expect(rows.map(({ body }) => body["outcome"] ?? body["verdict"])).toEqual([
        "accept",
        "not_run",
      ]);
    });

    test("a denial is not handed over", async () => {
      const { guard, rows } = await scene(books());
      const denied = { ...order(600), callId: "c1" };
      expect(await guard.decide(denied)).toMatchObject({ status: "denied" });
      const execute = counting();
      expect(await guard.run(denied, execute)).toMatchObject({ status: "denied" });
      expect(execute.seen).toEqual([]);
      expect(rows).toHaveLength(2);
    });
  });

  test("open holds a call until it ends, and ends it once", async () => {
    const { guard, rows } = await scene(books());
    const opened = await guard.open(order(200));
    if (opened.status !== "open") throw new Error(opened.message);
    expect(rows).toHaveLength(1);
    expect(opened.input).toEqual(order(200).input);
    await opened.end("suspended");
    await opened.end("ok");
    expect(rows).toMatchObject([{}, { body: { outcome: "suspended" }, result: 0 }]);
  });

  const outcomeDoor = kind === "fused" ? "guard/end" : "agentkeys.audit.append";
  const unheard = ["hang", "cut before the answer", "a page", "HTTP 500 with a page", "another id"];
  test.each(unheard)("an outcome that meets %s never reaches the run", async (how) => {
    const { guard, server } = await scene(books(), { timeoutMs: 500 });
    const result = await guard.run(order(200), () => {
      server.handlers[outcomeDoor] = broken[how] as Handler;
      return "served";
    });
    expect(result).toEqual({ status: "ran", result: "served" });
  });

  test("runtime errors deny; at most one execution; intent before, outcome after", async () => {
    const decideDoor = kind === "fused" ? "guard/begin" : "agentkeys.permission.check";
    const recordDoor = kind === "fused" ? "guard/begin" : "agentkeys.audit.append";
    const quick = Object.keys(broken).filter((how) => !how.startsWith("late") && how !== "hang");
    const fault = fc.option(fc.constantFrom(...quick), { nil: undefined, freq: 2 });
    const made = books();
    const { guard, rows, server } = await scene(made);
    const whole = { ...server.handlers };
    await fc.assert(
      fc.asyncProperty(
        fc.record({ decide: fault, record: fault, price: fc.integer({ min: 0, max: 1000 }) }),
        fc.record({ throws: fc.boolean(), abort: fc.boolean() }),
        async ({ decide, record, price }, { throws, abort }) => {
          const at = rows.length;
          Object.assign(server.handlers, whole);
          if (decide !== undefined) server.handlers[decideDoor] = broken[decide] as Handler;
          if (record !== undefined) server.handlers[recordDoor] = broken[record] as Handler;
          const run = new AbortController();
          const seen: number[] = [];
          const outcome = await guard
            .run({ ...order(price), signal: run.signal }, () => {
              seen.push(rows.length);
              Object.assign(server.handlers, whole);
              if (abort) run.abort();
              if (throws) throw new Error("tool");
              return "ran";
            })
            .catch(() => "threw");
          const runs = decide === undefined && record === undefined && price <= 500;
          const written = rows.slice(at);
          const marks = written.map(({ kind: found, result }) => `${found} ${result}`);
          expect(seen).toEqual(runs ? [at + 1] : []);
          expect(marks.filter((mark) => mark !== "intent 2")).toEqual(
            runs ? ["intent 0", `outcome ${throws ? 1 : 0}`] : [],
          );
          expect(typeof outcome === "string" ? outcome : outcome.status).toBe(
            runs ? (throws ? "threw" : "ran") : "denied",
          );
        },
      ),
      { numRuns: 60 },
    );
  });
});
