import { createGuard, type Guard } from "@agentkeys/core";
import { mockAuthority } from "@agentkeys/testing";
import {
  Agent,
  applyPatchTool,
  type Computer,
  computerTool,
  type Model,
  type ModelResponse,
  Runner,
  RunState,
  shellTool,
  Usage,
} from "@openai/agents";
import "@agentkeys/testing/vitest";
import { expect, onTestFinished, test } from "vitest";
import { guardTools, withAgentKeys } from "./index.ts";

const runner = new Runner({ tracingDisabled: true });

type Item = ModelResponse["output"][number];

/** Says these items, one list a turn, then "done". */
function saying(...turns: Item[][]) {
  const read: unknown[] = [];
  const model: Model = {
    getResponse: async ({ input }) => {
      read.push(input);
      const said: Item[] = turns.shift() ?? [
        {
          type: "message",
          role: "assistant",
          status: "completed",
          content: [{ type: "output_text", text: "done" }],
        },
      ];
      return { usage: new Usage(), output: said };
    },
    getStreamedResponse: () => {
      throw new Error("not streamed");
    },
  };
  return { model, read };
}

const shellCall = (command: string, callId = command): Item => ({
  type: "shell_call",
  callId,
  status: "completed",
  action: { commands: [command] },
});

async function open() {
  const scopes = { "shell.run": "ask", "files.write": "ask", "computer.act": "allow" } as const;
  const authority = await mockAuthority({ actor: { scopes } });
  onTestFinished(() => authority.close());
  const newGuard = (): Guard =>
    createGuard<{ shell: object; apply_patch: object; computer_use_preview: object }>({
      client: authority.client(),
      tools: {
        shell: { scope: "shell.run" },
        apply_patch: { scope: "files.write" },
        computer_use_preview: { scope: "computer.act" },
      },
    });
  const did: unknown[] = [];
  const shell = {
    run: async (action: { commands: string[] }) => {
      did.push(action.commands);
      return { output: [] };
    },
  };
  const write = (operation: { type: string; path: string }) =>
    void did.push([operation.type, operation.path]);
  const editor = {
    createFile: async (operation: never) => write(operation),
    updateFile: async (operation: never) => write(operation),
    deleteFile: async (operation: never) => write(operation),
  };
  /** A process of its own. */
  const start = (...turns: Item[][]) => {
    const { model, read } = saying(...turns);
    const tools = [shellTool({ shell }), applyPatchTool({ editor })];
    const config = { name: "a", model, tools };
    return { agent: new Agent(withAgentKeys(newGuard(), config, { tools: false })), read };
  };
  const { approvals } = authority.operator();
  const approve = async () => {
    for (const asked of await approvals.list({ status: "pending" })) {
      await approvals.approve(asked, { reason: "fine" });
    }
  };
  return { authority, approve, approvals, did, newGuard, shell, start };
}

test("a shell's command waits for a person, and runs once in another process", async () => {
  const { approve, did, start } = await open();
  const asking = await runner.run(start([shellCall("ls")]).agent, "go");
  expect(asking.interruptions).toHaveLength(1);
  expect(did).toEqual([]);
  await approve();
  const saved = JSON.stringify(asking.state);
  const resume = async () => {
    const { agent, read } = start();
    const state = await RunState.fromString(agent, saved);
    for (const item of state.getInterruptions()) state.approve(item);
    return { text: (await runner.run(agent, state)).finalOutput, read };
  };
  const [first, second] = await Promise.all([resume(), resume()]);
  expect([first.text, second.text]).toEqual(["done", "done"]);
  expect(did).toEqual([["ls"]]);
  expect((await resume()).text).toBe("done");
  expect(did).toEqual([["ls"]]);
});

test("a yes of the client proves nothing to a shell, and its no takes the ask back", async () => {
  const { approvals, did, start } = await open();
  const { agent, read } = start([shellCall("rm -rf /"), shellCall("ls")]);
  const { state } = await runner.run(agent, "go");
  const [one, two] = state.getInterruptions();
  if (one) state.approve(one);
  if (two) state.reject(two);
  await runner.run(agent, state);
  expect(did).toEqual([]);
  expect(JSON.stringify(read.at(-1))).toContain("Denied by AgentKeys: approval_pending");
  const asked = await approvals.list();
  expect(asked.map(({ status }) => status)).toEqual(["withdrawn", "withdrawn"]);
});

test("a yes of a shell's own handler is no grant", async () => {
  const { approvals, did, newGuard, shell } = await open();
  const tools = [shellTool({ shell, onApproval: async () => ({ approve: true }) })];
  const { model } = saying([shellCall("ls")]);
  const guarded = guardTools(newGuard(), tools);
  await runner.run(new Agent({ name: "a", model, tools: guarded }), "go");
  expect(did).toEqual([]);
  expect(await approvals.list()).toMatchObject([{ status: "withdrawn" }]);
});

test("an edit waits for a person, and a refused one is told as failed", async () => {
  const { approvals, did, start } = await open();
  const patch = (path: string): Item => ({
    type: "apply_patch_call",
    callId: path,
    status: "completed",
    operation: { type: "delete_file", path },
  });
  const { agent, read } = start([patch("a.txt"), patch("b.txt")]);
  const { state } = await runner.run(agent, "go");
  for (const asked of await approvals.list()) {
    if (asked.call_id === "a.txt") await approvals.approve(asked, { reason: "fine" });
    else await approvals.deny(asked, { reason: "not that one" });
  }
  for (const item of state.getInterruptions()) state.approve(item);
  expect((await runner.run(agent, state)).finalOutput).toBe("done");
  expect(did).toEqual([["delete_file", "a.txt"]]);
  expect(JSON.stringify(read.at(-1))).toContain("not that one");
});

/** A computer with a private field, which notes what it did. */
function newMachine(did: unknown[]): Computer {
  const act =
    (name: string) =>
    (...given: unknown[]) =>
      void did.push([name, ...given.slice(0, -1)]);
  class Machine {
    #screen = "png";
    initRun = () => void did.push("ready");
    screenshot = () => this.#screen;
    click = act("click");
    doubleClick = act("doubleClick");
    drag = act("drag");
    keypress = act("keypress");
    move = act("move");
    scroll = act("scroll");
    type = act("type");
    wait = act("wait");
  }
  return new Machine();
}

test.each(["object", "function", "provider"])(
  "a computer given as %s acts when allowed",
  async (form) => {
    const { authority, newGuard } = await open();
    const did: unknown[] = [];
    const made: string[] = [];
    const machine = newMachine(did);
    const create = () => {
      made.push("made");
      return machine;
    };
    const dispose = () => void made.push("disposed");
    const computer =
      form === "object" ? machine : form === "function" ? create : { create, dispose };
    const calls = (...actions: object[]): Item => ({
      type: "computer_call",
      callId: `c${actions.length}`,
      status: "completed",
      action: actions[0] as never,
      ...(actions.length > 1 && { actions: actions as never }),
    });
    const turns = [
      [calls({ type: "click", x: 1, y: 2, button: "left" })],
      [calls({ type: "type", text: "hi" }, { type: "keypress", keys: ["a"] })],
    ];
    const agent = () => {
      const config = {
        name: "a",
        model: saying(...turns).model,
        tools: [computerTool({ computer })],
      };
      return new Agent(withAgentKeys(newGuard(), config, { tools: false }));
    };
    const allowed = agent();
    await runner.run(allowed, "go");
    expect(did.filter((each) => each !== "ready")).toEqual([
      ["click", 1, 2, "left"],
      ["type", "hi"],
      ["keypress", ["a"]],
    ]);
    expect(made).toEqual({ object: [], function: ["made"], provider: ["made", "disposed"] }[form]);
    did.length = 0;
    await authority.revoke();
    const refused = await runner.run(agent(), "go");
    expect(refused.finalOutput).toBe("done");
    expect(new Set(did)).toEqual(new Set(["ready"]));
    expect(authority.log()).toHaveRecorded({ tool: "computer_use_preview", verdict: "deny" });
  },
);

test("a person reads what a shell would run; coverage knows shells and computers", async () => {
  const { approvals, authority, shell } = await open();
  const client = authority.client();
  const { model } = saying([shellCall("rm -r cache")]);
  const run = runner.run.bind(runner);
  const computer = newMachine([]);
  // #region local
  const guard = createGuard({
    client,
    tools: {
      shell: { scope: "shell.run", describe: (i) => `Runs ${String(i["commands"])}` },
      computer_use_preview: { scope: "computer.act", record: ["action"] },
    },
  });
  const config = {
    name: "Admin",
    model,
    tools: [shellTool({ shell }), computerTool({ computer })],
  };
  const admin = new Agent(withAgentKeys(guard, config));
  const { interruptions } = await run(admin, "Free some space."); // a person reads: Runs rm -r cache
  // #endregion
  expect(interruptions).toHaveLength(1);
  expect(await approvals.list()).toMatchObject([{ text: "Runs rm -r cache" }]);
  const { tools } = await guard.coverage(config);
  expect(tools.map(({ how }) => how)).toEqual(["raw", "raw"]);
  const governed = (await guard.coverage(admin)).tools.filter(({ how }) => how === "guarded");
  expect(governed.map(({ name }) => name)).toEqual(["shell", "computer_use_preview"]);
});
