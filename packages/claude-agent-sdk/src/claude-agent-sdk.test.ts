import { fileURLToPath } from "node:url";
import { createSdkMcpServer, query, tool } from "@anthropic-ai/claude-agent-sdk";
import type { HookCallback, HookInput, Options } from "@anthropic-ai/claude-agent-sdk";
import { AgentKeysError } from "@agentkeys/contract";
import { createClient, createGuard, type Guard, type GuardOptions } from "@agentkeys/core";
import { type MockAuthority, mockAuthority, type Script } from "@agentkeys/testing";
import { scriptedClaude } from "@agentkeys/testing/claude-agent-sdk";
import { describe, expect, onTestFinished, test } from "vitest";
import { z } from "zod";
import { agentKeysHooks, guardTools, withAgentKeys } from "./index.ts";

const params = (input: { price?: unknown }) => ({ amount_rmb: input.price });
const tools: GuardOptions["tools"] = {
  mcp__shop__order_food: { scope: "payment.spend", params },
  Pay: { scope: "payment.spend", params },
  Bash: { scope: "shell.run" },
  Agent: { scope: "agents.delegate" },
};

const free: Options = {
  permissionMode: "bypassPermissions",
  allowDangerouslySkipPermissions: true,
};
const pay = (price: number, id?: string) => ({ name: "Pay", input: { price }, ...(id && { id }) });
const bash = { name: "Bash", input: { command: "ls" } };

interface World {
  authority: MockAuthority;
  guard: Guard;
  /** What really ran. */
  ran: unknown[];
  run(script: Script, options?: Options, scripted?: object): Promise<Played>;
  intents(): unknown[];
  outcomes(): unknown[];
}

interface Played {
  text: string;
  read: string[];
  refused: boolean[];
}

/** Payments up to 300 run, up to 500 a person is asked, above they are denied. */
async function open(options: Partial<GuardOptions> = {}): Promise<World> {
  const scopes = { "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 } };
  const authority = await mockAuthority({ actor: { scopes } });
  onTestFinished(() => authority.close());
  const guard = createGuard({ client: authority.client(), tools, ...options });
  const ran: unknown[] = [];
  const note = (input: unknown) => `ran ${ran.push(input)}`;
  const named = (kind: string, field: string) => () =>
    authority.log().flatMap((each) => (each.kind === kind ? [each.op_body[field]] : []));
  return {
    authority,
    guard,
    ran,
    intents: named("guard.intent", "verdict"),
    outcomes: named("runtime.tool_result", "outcome"),
    async run(script, given = withAgentKeys(guard, free), scripted = {}) {
      const builtins = { Pay: note, Bash: note };
      const claude = scriptedClaude(script, { builtins, ...scripted });
      let text = "";
      for await (const message of query({
        prompt: "go",
        options: { ...given, ...claude.options },
      })) {
        if (message.type === "result") {
          text = message.subtype === "success" ? message.result : message.errors.join();
        }
      }
      const read = claude.answers.map((answer) => answer.text);
      return { text, read, refused: claude.answers.map(({ refused }) => refused) };
    },
  };
}

const counted = (words: unknown[]) =>
  Object.fromEntries(words.map((word) => [word, words.filter((each) => each === word).length]));

const orderFood = (ran: unknown[]) =>
  tool("order_food", "orders", { price: z.coerce.number() }, async (input) => {
    ran.push(input);
    return { content: [{ type: "text", text: "ordered" }] };
  });

describe("built-in tools", () => {
  test("a call runs between its intent and its outcome, under the session's name", async () => {
    const { run, ran, authority } = await open();
    const played = await run([[pay(600)], [pay(200)], "done"], undefined, { sessionId: "s-1" });
    expect(played).toMatchObject({ text: "done", refused: [true, false] });
    expect(played.read[0]).toContain("Denied by AgentKeys: daily_spend_cap_exceeded");
    expect(ran).toEqual([{ price: 200 }]);
    expect(
      authority.log().map((each) => [each.tool, each.verdict ?? each.outcome, each.run_key]),
    ).toEqual([
      ["Pay", "deny", "s-1"],
      ["Pay", "accept", "s-1"],
      ["Pay", "ok", undefined],
    ]);
  });

  test("one that fails is recorded as an error", async () => {
    const { run, outcomes } = await open();
    const Bash = () => {
      throw new Error("exit 1");
    };
    expect(await run([[bash], "done"], undefined, { builtins: { Bash } })).toMatchObject({
      read: ["exit 1"],
    });
    expect(outcomes()).toEqual(["error"]);
  });

  test("one without a row does not run", async () => {
    const { run, intents } = await open();
    const Write = () => "written";
    const script = [[{ name: "Write", input: {} }], "done"];
    expect(await run(script, undefined, { builtins: { Write } })).toMatchObject({
      refused: [true],
    });
    expect(intents()).toEqual(["deny"]);
  });

  test("a sub-agent's calls are decided like any others", async () => {
    const { run, ran, outcomes } = await open();
    const script = [[{ name: "Agent", input: { subagent_type: "payer" } }], "done"];
    const agents = { payer: [[pay(600, "a"), pay(200, "b")], "inner done"] };
    await run(script, undefined, { agents });
    expect(ran).toEqual([{ price: 200 }]);
    expect(outcomes()).toEqual(["ok", "ok"]);
  });
});

describe("permissions of one's own", () => {
  test("what the guard allows they may still refuse; the record says that nothing ran", async () => {
    const { guard, run, ran, outcomes } = await open();
    const asked: string[] = [];
    const canUseTool: Options["canUseTool"] = async (name) => {
      asked.push(name);
      return { behavior: "deny", message: "not today" };
    };
    const { read } = await run([[pay(200)], [bash], "done"], withAgentKeys(guard, { canUseTool }));
    expect(read).toEqual(["not today", "not today"]);
    expect((await run([[bash], "done"], withAgentKeys(guard, {}))).refused).toEqual([true]);
    expect(asked).toEqual(["Pay", "Bash"]);
    expect(ran).toEqual([]);
    expect(outcomes()).toEqual(["not_run", "not_run", "not_run"]);
  });

  test("a yes of the client, of a rule or of a hook runs nothing that was denied or asked about", async () => {
    const { guard, run, ran } = await open();
    const canUseTool: Options["canUseTool"] = async () => ({ behavior: "allow" });
    const allow = {
      hookSpecificOutput: { hookEventName: "PreToolUse", permissionDecision: "allow" },
    } as const;
    const hooks: Options["hooks"] = { PreToolUse: [{ hooks: [async () => allow] }] };
    for (const given of [{ canUseTool }, { hooks }, { allowedTools: ["Pay"] }, free]) {
      const { refused } = await run([[pay(600)], [pay(400)], "done"], withAgentKeys(guard, given));
      expect(refused).toEqual([true, true]);
    }
    expect(ran).toEqual([]);
  });

  const edit = (price: number) => ({ updatedInput: { price } });
  const editors: Record<string, (price: number) => Options> = {
    canUseTool: (price) => ({ canUseTool: async () => ({ behavior: "allow", ...edit(price) }) }),
    "a PreToolUse hook": (price) => ({
      ...free,
      hooks: {
        PreToolUse: [
          {
            matcher: "Pay",
            hooks: [
              async () => ({ hookSpecificOutput: { hookEventName: "PreToolUse", ...edit(price) } }),
            ],
          },
        ],
      },
    }),
    "a PermissionRequest hook": (price) => ({
      hooks: {
        PermissionRequest: [
          {
            hooks: [
              async () => ({
                hookSpecificOutput: {
                  hookEventName: "PermissionRequest",
                  decision: { behavior: "allow", ...edit(price) },
                },
              }),
            ],
          },
        ],
      },
    }),
  };

  test.each(Object.entries(editors))(
    "an input changed by %s is decided anew",
    async (_, editor) => {
      const { guard, run, ran, intents, outcomes } = await open();
      const denied = await run([[pay(200)], "done"], withAgentKeys(guard, editor(600)));
      expect(denied.read[0]).toContain("Denied by AgentKeys: daily_spend_cap_exceeded");
      expect(ran).toEqual([]);
      expect(outcomes()).toEqual(["not_run"]);
      await run([[pay(200)], "done"], withAgentKeys(guard, editor(100)));
      expect(ran).toEqual([{ price: 100 }]);
      expect(counted(intents())).toEqual({ accept: 3, deny: 1 });
      expect(counted(outcomes())).toEqual({ not_run: 2, ok: 1 });
    },
  );

  test("the outcome is that of the input that ran, whichever decision came first", async () => {
    const { guard, authority } = await open();
    const change: HookCallback = async () => ({
      hookSpecificOutput: { hookEventName: "PreToolUse", ...edit(100) },
    });
    const hooks = agentKeysHooks(guard, { PreToolUse: [{ hooks: [change] }] });
    const fire = (event: "PreToolUse" | "PostToolUse", at: number, price: number) => {
      const base = { session_id: "s", transcript_path: "", cwd: "/", hook_event_name: event };
      const call = { tool_name: "Pay", tool_input: { price }, tool_use_id: "c" };
      const { signal } = new AbortController();
      return hooks[event]?.[at]?.hooks[0]?.({ ...base, ...call } as HookInput, "c", { signal });
    };
    await fire("PreToolUse", 1, 200);
    await fire("PreToolUse", 0, 200);
    await fire("PostToolUse", 0, 100);
    const [edited, first, ...outcomes] = authority.log();
    expect(outcomes).toMatchObject([
      { intent: edited?.envelope_hash, outcome: "ok" },
      { intent: first?.envelope_hash, outcome: "not_run" },
    ]);
  });

  test("canUseTool is held to the decisions of hooks that were set by hand", async () => {
    const { guard, run, ran, outcomes } = await open();
    const hooks = agentKeysHooks(guard);
    const options = withAgentKeys(guard, { ...editors["canUseTool"]?.(100), hooks });
    await run([[pay(200)], "done"], options);
    expect(ran).toEqual([{ price: 100 }]);
    expect(counted(outcomes())).toEqual({ not_run: 1, ok: 1 });
  });

  test("an input that canUseTool gives back unchanged is decided once", async () => {
    const { guard, run, intents, outcomes } = await open();
    const canUseTool: Options["canUseTool"] = async (_, input) => ({
      behavior: "allow",
      updatedInput: structuredClone(input),
    });
    await run([[pay(200)], "done"], withAgentKeys(guard, { canUseTool }));
    expect([intents(), outcomes()]).toEqual([["accept"], ["ok"]]);
  });
});

describe("where a person is asked", () => {
  test("the hook waits, and the grant lets the call run once", async () => {
    const { run, ran, authority, outcomes } = await open({ approval: { waitMs: 10_000 } });
    await using _ = authority.approveAll();
    expect((await run([[pay(400)], "done"])).refused).toEqual([false]);
    expect(ran).toEqual([{ price: 400 }]);
    expect(outcomes()).toEqual(["ok"]);
  });

  test("an in-process tool runs on the grant that its hook waited for", async () => {
    const { run, ran, authority, guard, outcomes } = await open({ approval: { waitMs: 10_000 } });
    await using _ = authority.approveAll();
    const mcpServers = { shop: createSdkMcpServer({ name: "shop", tools: [orderFood(ran)] }) };
    const script = [[{ name: "mcp__shop__order_food", input: { price: "400" } }], "done"];
    await run(script, withAgentKeys(guard, { ...free, mcpServers }));
    expect(ran).toEqual([{ price: 400 }]);
    expect(outcomes()).toEqual(["ok"]);
  });

  test("a no is read by the model, and nobody's answer takes the question back", async () => {
    const refusing = await open({ approval: { waitMs: 10_000 } });
    await using _ = refusing.authority.denyAll();
    const { read } = await refusing.run([[pay(400)], "done"]);
    expect(read[0]).toContain("Denied by AgentKeys: approval_denied");
    const silent = await open({ approval: { waitMs: 20 } });
    expect((await silent.run([[pay(400)], "done"])).refused).toEqual([true]);
    expect(await silent.authority.operator().approvals.list({ status: "pending" })).toEqual([]);
    expect([...refusing.ran, ...silent.ran]).toEqual([]);
  });

  test("a hook that Claude Code no longer waits for takes the question back", async () => {
    const { guard, authority } = await open({ approval: { waitMs: 10_000 } });
    const stop = new AbortController();
    const [matcher] = agentKeysHooks(guard).PreToolUse ?? [];
    const base = { session_id: "s", transcript_path: "", cwd: "/" };
    const call = { tool_name: "Pay", tool_input: { price: 400 }, tool_use_id: "c" };
    const answer = matcher?.hooks[0]?.({ ...base, ...call, hook_event_name: "PreToolUse" }, "c", {
      signal: stop.signal,
    });
    const { approvals } = authority.operator();
    const pending = () => approvals.list({ status: "pending" });
    await expect.poll(pending).toHaveLength(1);
    stop.abort();
    expect(await answer).toMatchObject({ hookSpecificOutput: { permissionDecision: "deny" } });
    await expect.poll(pending).toHaveLength(0);
  });
});

describe("whatever goes wrong", () => {
  test("Claude Code is told to block when the hook fails, and to wait longer than any decision takes", async () => {
    const { guard } = await open();
    const matchers = agentKeysHooks(guard).PreToolUse;
    expect(matchers).toMatchObject([{ onFailure: "block", timeout: 86_400 }]);
    expect(matchers?.[0]?.matcher).toBeUndefined();
  });

  test("a schema that throws denies, and is recorded", async () => {
    const { guard, run, intents } = await open();
    const throwing = z.string().transform(() => {
      throw new Error("boom");
    });
    const broken = tool("order_food", "orders", { price: throwing }, async () => ({ content: [] }));
    const options = withAgentKeys(guard, {
      ...free,
      mcpServers: guardTools(guard, { shop: [broken] }),
    });
    const script = [[{ name: "mcp__shop__order_food", input: { price: "1" } }], "done"];
    const { read } = await run(script, options);
    expect(read[0]).toContain("unreadable_input");
    expect(intents()).toEqual(["deny"]);
  });

  test("a raw server put under a guarded one's name is still decided on", async () => {
    const { guard, run, ran, intents, outcomes } = await open();
    const guarded = guardTools(guard, { shop: [orderFood([])] });
    const mcpServers = { shop: createSdkMcpServer({ name: "shop", tools: [orderFood(ran)] }) };
    const options = { ...withAgentKeys(guard, { ...free, mcpServers: guarded }), mcpServers };
    const order = (price: unknown) => [{ name: "mcp__shop__order_food", input: { price } }];
    const { refused } = await run([order(600), order("many"), order(200), "done"], options);
    expect(refused).toEqual([true, true, false]);
    expect(ran).toEqual([{ price: 200 }]);
    expect(intents()).toEqual(["deny", "accept"]);
    expect(outcomes()).toEqual(["ok"]);
  });

  test("another server under a guarded one's name is decided on with all that it gets", async () => {
    const row = { scope: "web.search", record: ["hidden"] as never };
    const { guard, run, ran, authority } = await open({ tools: { mcp__shop__order_food: row } });
    guardTools(guard, { shop: [orderFood([])] });
    const far = (input: unknown) => `ran ${ran.push(input)}`;
    const input = { price: "1", hidden: "seen" };
    const script = [[{ name: "mcp__shop__order_food", input }], "done"];
    await run(script, withAgentKeys(guard, free), { builtins: { mcp__shop__order_food: far } });
    expect(ran).toEqual([input]);
    expect(authority.log()).toMatchObject([{ clear: { hidden: "seen" } }, { outcome: "ok" }]);
  });

  test("a run that is aborted leaves no call without its outcome", async () => {
    const { guard, run, outcomes } = await open();
    const abortController = new AbortController();
    const Bash = () => {
      abortController.abort();
      return new Promise(() => undefined);
    };
    const options = withAgentKeys(guard, { ...free, abortController });
    await run([[bash], "done"], options, { builtins: { Bash } }).catch(() => undefined);
    await expect.poll(outcomes).toEqual(["aborted"]);
  });

  test("what was being decided when the run was aborted does not run, and is recorded so", async () => {
    const { authority, ran, run, outcomes } = await open();
    const abortController = new AbortController();
    const env = await authority.env();
    const client = createClient({
      token: env["AGENTKEYS_MCP_VENDOR_TOKEN"],
      actor: env["AGENTKEYS_ACTOR_OMNI"],
      operator: env["AGENTKEYS_OPERATOR_OMNI"],
      deviceKeyHash: env["AGENTKEYS_DEVICE_KEY_HASH"],
      fetch: async (url, init) => {
        const answer = await authority.fetch(url, init);
        if (JSON.stringify(init).includes("guard/begin")) abortController.abort();
        return answer;
      },
    });
    const options = withAgentKeys(createGuard({ client, tools }), { ...free, abortController });
    await run([[bash], "done"], options).catch(() => undefined);
    await expect.poll(outcomes).toEqual(["not_run"]);
    expect(ran).toEqual([]);
    await client.close();
  });

  test("what is open when the session ends has been aborted", async () => {
    const { guard, run, outcomes } = await open();
    const options = withAgentKeys(guard, free);
    const { PostToolUse: _, PostToolBatch: __, ...hooks } = options.hooks ?? {};
    await run([[bash], "done"], { ...options, hooks });
    expect(outcomes()).toEqual(["aborted"]);
  });
});

describe("configurations", () => {
  test("guarded twice decides once, and takes nothing away", async () => {
    const { guard, run, intents, outcomes } = await open();
    const ended: string[] = [];
    const Stop = [{ hooks: [async () => ({})] }];
    const PostToolUse = [
      {
        hooks: [
          async (): Promise<object> => {
            ended.push("mine");
            return {};
          },
        ],
      },
    ];
    const given: Options = { ...free, allowedTools: ["Read"], hooks: { Stop, PostToolUse } };
    const options = withAgentKeys(guard, withAgentKeys(guard, given));
    await run([[bash], "done"], options);
    expect([intents(), outcomes(), ended]).toEqual([["accept"], ["ok"], ["mine"]]);
    expect(options).toMatchObject({
      allowedTools: ["Read", "mcp__agentkeys"],
      hooks: { Stop: [{}] },
    });
  });

  test("coverage tells what the hooks, the objects and nobody decides, and which rows are for nothing", async () => {
    const { guard } = await open();
    const github = { type: "http", url: "https://mcp.example" } as const;
    const shop = createSdkMcpServer({ name: "shop", tools: [orderFood([])] });
    const given: Options = { settingSources: [], tools: ["Bash"], mcpServers: { github, shop } };
    const how = async (options: Options) => {
      const coverage = await guard.coverage(options);
      return {
        ...coverage,
        tools: Object.fromEntries(coverage.tools.map((each) => [each.name, each.how])),
      };
    };
    expect(await how(given)).toMatchObject({
      tools: { Bash: "raw", "mcp__github__*": "mcp", mcp__shop__order_food: "raw" },
    });
    const guarded = withAgentKeys(guard, given, { tools: ["memory_get"], strict: true });
    const all = { Bash: "guarded", "mcp__github__*": "guarded", mcp__shop__order_food: "guarded" };
    expect(await how(guarded)).toEqual({
      tools: { ...all, mcp__agentkeys__memory_get: "agentkeys" },
      unused: ["Pay", "Agent"],
    });
    expect(await how({ ...guarded, hooks: {} })).toMatchObject({
      tools: { ...all, Bash: "raw", "mcp__github__*": "mcp" },
    });
  });

  test("strict refuses what can bring hooks that nobody here sees", async () => {
    const { guard } = await open();
    const isolated: Options = { settingSources: [], tools: [] };
    expect(() => withAgentKeys(guard, isolated, { strict: true })).not.toThrow();
    for (const loose of [
      { tools: [] },
      { ...isolated, settings: "settings.json" },
      { ...isolated, plugins: [{ type: "local", path: "p" } as const] },
      { ...isolated, permissionPromptToolName: "mcp__ui__ask" },
    ]) {
      expect(() => withAgentKeys(guard, loose, { strict: true })).toThrow(AgentKeysError);
    }
  });

  test("a server that is no McpServer is refused instead of left open", async () => {
    const { guard } = await open();
    const instance = {} as never;
    expect(() => guardTools(guard, { odd: { type: "sdk", name: "odd", instance } })).toThrow(
      "mcpServers: odd",
    );
  });
});

test("the same through a process of its own, as pathToClaudeCodeExecutable starts it", async () => {
  const { guard, ran, outcomes } = await open();
  const mcpServers = { shop: createSdkMcpServer({ name: "shop", tools: [orderFood(ran)] }) };
  const options = withAgentKeys(guard, {
    ...free,
    mcpServers,
    pathToClaudeCodeExecutable: fileURLToPath(new URL("../test/claude-code.ts", import.meta.url)),
    executable: "node",
    executableArgs: ["--conditions=@agentkeys/source"],
  });
  const results: unknown[] = [];
  for await (const message of query({ prompt: "go", options })) {
    if (message.type === "user") results.push(message.message.content);
    if (message.type === "result") results.push(message.subtype);
  }
  expect(ran).toEqual([{ price: 200 }]);
  expect(outcomes()).toContain("ok");
  expect(results).toHaveLength(4);
  expect(results.at(-1)).toBe("success");
}, 20_000);
