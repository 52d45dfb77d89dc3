import { createSdkMcpServer, type Options, query, tool } from "@anthropic-ai/claude-agent-sdk";
import type { Guard } from "@agentkeys/core";
import type { AgentRun, FrameworkDriver, Script, SuiteTool } from "@agentkeys/testing";
import { renamedGuard, scriptedClaude } from "@agentkeys/testing/claude-agent-sdk";
import { frameworkSuite } from "@agentkeys/testing/framework-suite";
import { Client } from "@modelcontextprotocol/sdk/client/index.js";
import { InMemoryTransport } from "@modelcontextprotocol/sdk/inMemory.js";
import { guardTools, withAgentKeys } from "./index.ts";

const toTool = ({ name, description, schema, execute }: SuiteTool) =>
  tool(name, description, schema.shape, async (input, extra) => {
    const { signal } = extra as { signal: AbortSignal };
    return { content: [{ type: "text", text: String(await execute(input as never, { signal })) }] };
  });

const serverOf = (tools: readonly SuiteTool[]) =>
  createSdkMcpServer({ name: "suite", tools: tools.map(toTool) });

// The model sees a server's name before each tool's; the suite, like most frameworks, does not.
const seen = (name: string): string =>
  name.startsWith("agentkeys_")
    ? `mcp__agentkeys__${name.slice("agentkeys_".length)}`
    : `mcp__suite__${name}`;
const bare = (name: string): string =>
  name.replace(/^mcp__agentkeys__/, "agentkeys_").replace(/^mcp__suite__/, "");
const seenIn = (script: Script): Script =>
  script.map((turn) =>
    typeof turn === "string" ? turn : turn.map((call) => ({ ...call, name: seen(call.name) })),
  );

/** The guard of the suite has rows by the bare names. */
const byBareName = (guard: Guard): Guard =>
  renamedGuard(guard, (name) => name.replace(/^mcp__suite__/, ""));

const controllerOf = (signal: AbortSignal | undefined): AbortController => {
  const controller = new AbortController();
  signal?.addEventListener("abort", () => controller.abort(signal.reason));
  return controller;
};

const free: Options = {
  permissionMode: "bypassPermissions",
  allowDangerouslySkipPermissions: true,
};

async function lastText(options: Options): Promise<string> {
  for await (const message of query({ prompt: "go", options })) {
    if (message.type !== "result") continue;
    if (message.subtype === "success") return message.result;
    throw new Error(message.errors.join());
  }
  return "";
}

const driver: FrameworkDriver = {
  name: "Claude Agent SDK",
  generators: false,
  decidesAtOnce: true,

  async run({ guard, tools, script, signal, mode, own, replaceSeam }: AgentRun) {
    const claude = scriptedClaude(seenIn(script));
    const config: Options = {
      ...free,
      ...claude.options,
      mcpServers: { suite: serverOf(tools) },
      abortController: controllerOf(signal),
      includePartialMessages: mode === "stream",
    };
    const options = withAgentKeys(
      byBareName(guard),
      config,
      own === undefined ? {} : { tools: own === false ? false : [...own] },
    );
    const text = await lastText(replaceSeam ? { ...options, hooks: {} } : options);
    return { text, preliminary: [], ...readBy(claude) };
  },

  async direct(guard, suiteTool, { input, id, signal }) {
    const { suite } = guardTools(byBareName(guard), { suite: [toTool(suiteTool)] });
    const [here, there] = InMemoryTransport.createLinkedPair();
    await suite.instance.connect(there);
    await using client = Object.assign(new Client({ name: "direct", version: "0" }), {
      async [Symbol.asyncDispose]() {
        await client.close();
      },
    });
    await client.connect(here);
    const { content, isError } = await client.callTool(
      {
        name: suiteTool.name,
        arguments: input as Record<string, unknown>,
        ...(id !== undefined && { _meta: { "claudecode/toolUseId": id } }),
      },
      undefined,
      signal === undefined ? {} : { signal },
    );
    const text = (content as { text: string }[]).map((block) => block.text).join();
    return isError === true ? { ran: false, text } : { ran: true, result: text };
  },

  async subAgent({ guard, tools, script }) {
    const inner = scriptedClaude(seenIn(script));
    const mcpServers = guardTools(byBareName(guard), { suite: serverOf(tools) });
    const delegate = tool("delegate", "delegates", {}, async () => ({
      content: [{ type: "text", text: await lastText({ ...free, ...inner.options, mcpServers }) }],
    }));
    const outer = scriptedClaude([[{ name: "mcp__outer__delegate", input: {} }], "outer done"]);
    await lastText({
      ...free,
      ...outer.options,
      mcpServers: { outer: createSdkMcpServer({ name: "outer", tools: [delegate] }) },
    });
    return { text: outer.answers[0]?.text ?? "", preliminary: [], ...readBy(inner) };
  },
};

function readBy({ answers, offered }: ReturnType<typeof scriptedClaude>) {
  return {
    answers: answers.map((answer) => ({ ...answer, tool: bare(answer.tool) })),
    offered: offered.map((each) => ({ ...each, name: bare(each.name) })),
  };
}

frameworkSuite(driver);
