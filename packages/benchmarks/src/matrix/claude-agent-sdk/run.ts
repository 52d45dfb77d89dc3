import { withAgentKeys } from "@agentkeys/claude-agent-sdk";
import type { Guard } from "@agentkeys/core";
import type { Script } from "@agentkeys/testing";
import { renamedGuard, scriptedClaude } from "@agentkeys/testing/claude-agent-sdk";
import { createSdkMcpServer, type Options, query, tool } from "@anthropic-ai/claude-agent-sdk";
import { z } from "zod";
import type { Played } from "../observe.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";

type Claude = ReturnType<typeof scriptedClaude>;
type Definition = ReturnType<typeof tool>;
type Input = { price: number };
type Pay = (input: Input, extra: { signal: AbortSignal }) => unknown;

/** A tool of the in-process server. */
export const call = (amount: number, name = "mcp__shop__pay", id?: string) => {
  return { name, input: { price: amount }, ...(id !== undefined && { id }) };
};

/** One that is denied, then one that runs. */
export const script = [[call(600)], [call(200)], "done"] as const;

/** Nothing of Claude Code's own stands in the way. */
export const free: Options = {
  permissionMode: "bypassPermissions",
  allowDangerouslySkipPermissions: true,
};

/** The stage's tool as a raw one of the SDK's. */
export function payTool(stage: Stage, body: Pay = (input) => stage.pay(input), name = "pay") {
  return tool(name, "pays", { price: z.number() }, async (input, extra) => {
    const text = String(await body(input, extra as { signal: AbortSignal }));
    return { content: [{ type: "text", text }] };
  }) as unknown as Definition;
}

export const shopOf = (tools: Definition[]) => createSdkMcpServer({ name: "shop", tools });

/** The stage's rows know no server's name, and no `Agent`. */
export const named = (guard: Guard): Guard =>
  renamedGuard(guard, (name) => (name === "Agent" ? "delegate" : name.replace(/^mcp__.+?__/, "")));

export interface Given {
  readonly script: Script;
  readonly tools?: Definition[];
  readonly guard?: Guard;
  /** Before the guard comes; without any, nothing is asked and nothing forbidden. */
  readonly options?: Options;
  /** After the guard has come. */
  readonly override?: Options;
  /** What runs in Claude Code, or on another server. */
  readonly scripted?: Parameters<typeof scriptedClaude>[1];
}

/** Runs to the end. Rejects when the run itself dies. */
export async function start(claude: Claude, mode: Mode, options: Options): Promise<void> {
  const message = { role: "user", content: "go" } as const;
  const prompt =
    mode === "invoke"
      ? "go"
      : (async function* () {
          yield { type: "user", message, parent_tool_use_id: null, session_id: "" } as const;
        })();
  for await (const said of query({ prompt, options: { ...options, ...claude.options } })) {
    if (said.type === "result" && said.subtype !== "success") throw new Error(said.errors.join());
  }
}

/** Runs a guarded configuration to its end and tells what its model read. */
export async function run(
  stage: Stage,
  mode: Mode,
  { script: turns, guard = stage.guard, options = free, ...given }: Given,
): Promise<Pick<Played, "read" | "survived">> {
  const claude = scriptedClaude(turns, given.scripted);
  const shop = shopOf(given.tools ?? [payTool(stage)]);
  const config: Options = { mcpServers: { shop }, ...options };
  const guarded = { ...withAgentKeys(named(guard), config, { tools: false }), ...given.override };
  const survived = await start(claude, mode, guarded).then(
    () => true,
    () => false,
  );
  return { read: readBy(claude), survived };
}

export function readBy({ answers }: Claude): string[] {
  return answers.map(({ text }) => text);
}
