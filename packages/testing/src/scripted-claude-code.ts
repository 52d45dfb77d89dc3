import { randomUUID } from "node:crypto";
import type { BaseHookInput, HookInput, McpServerProvenance } from "@anthropic-ai/claude-agent-sdk";
import { ClaudeCodeHost, type Json, type Line } from "./claude-code-host.ts";
import type { AgentResult, ToolAnswer } from "./framework-driver.ts";
import { turnsOf, type Script, type ScriptedCall } from "./script.ts";

/** What a stand-in for Claude Code does instead of asking a model and a machine. */
export interface ScriptedClaude {
  script: Script;
  /** Built-in tools (`Bash`, …): what each gives; a throw is its failure. */
  builtins?: Record<string, (input: never) => unknown>;
  /** Sub-agents: the one that a call of `Agent` names in `subagent_type` plays its script, with an `agent_id`. */
  agents?: Record<string, Script>;
  /** Default: a new one, or that of `resume`. */
  sessionId?: string;
}

/** What it saw. Filled while it plays. */
export interface Played {
  /** What the model read in answer to its calls, those of sub-agents too. */
  answers: ToolAnswer[];
  /** What the model was offered by in-process servers. */
  offered: AgentResult["offered"];
}

/** What an event says beside what all say. */
type Facts<I = HookInput> = I extends HookInput
  ? Omit<I, keyof BaseHookInput | "mcp_server">
  : never;

/** One run of the program; `args` is its command line. */
export class ScriptedClaudeCode {
  readonly #scripted: ScriptedClaude;
  readonly #args: readonly string[];
  readonly #host: ClaudeCodeHost;
  readonly #played: Played;
  readonly #session: string;

  constructor(
    scripted: ScriptedClaude,
    args: readonly string[],
    { played, write }: { played: Played; write(line: string): void },
  ) {
    this.#scripted = scripted;
    this.#args = args;
    this.#host = new ClaudeCodeHost(write);
    this.#played = played;
    this.#session = scripted.sessionId ?? this.#argument("--resume") ?? randomUUID();
  }

  /** One line of its input. */
  read(line: string): void {
    const message = JSON.parse(line) as Line;
    if (this.#host.takes(message) || message.type !== "user") return;
    this.#start().catch(({ message: error }: Error) =>
      this.#result({ subtype: "error_during_execution", is_error: true, errors: [error] }),
    );
  }

  async #start(): Promise<void> {
    for (const server of this.#host.servers) await this.#connect(server);
    const tools = this.#played.offered.map(({ name }) => name);
    this.#say({ type: "system", subtype: "init", tools });
    const result = await this.#play(this.#scripted.script);
    await this.#fire({ hook_event_name: "SessionEnd", reason: "other" });
    this.#result({ subtype: "success", is_error: false, result });
  }

  async #connect(server: string): Promise<void> {
    const clientInfo = { name: "scripted-claude-code", version: "0" };
    const params = { protocolVersion: "2025-06-18", capabilities: {}, clientInfo };
    await this.#host.mcp(server, "initialize", params);
    await this.#host.mcp(server, "notifications/initialized");
    // A server without any tool does not know the method.
    const listed = await this.#host.mcp(server, "tools/list", {}).catch(() => ({ tools: [] }));
    const { tools } = listed as { tools: { name: string; inputSchema: never }[] };
    for (const { name, inputSchema: schema } of tools) {
      this.#played.offered.push({ name: `mcp__${server}__${name}`, schema });
    }
  }

  /** Gives the last text. The calls of one turn run together. */
  async #play(script: Script, agent?: string): Promise<string> {
    for (const turn of turnsOf(script)) {
      const content =
        typeof turn === "string"
          ? [{ type: "text", text: turn }]
          : turn.map((call) => ({ ...call, type: "tool_use" }));
      const message = { role: "assistant", content };
      this.#say({ type: "assistant", message, parent_tool_use_id: agent ?? null });
      if (typeof turn === "string") return turn;
      const tool_calls = await Promise.all(turn.map((call) => this.#call(call, agent)));
      await this.#fire({ hook_event_name: "PostToolBatch", tool_calls }, { agent });
    }
    return "";
  }

  async #call(call: Required<ScriptedCall>, agent?: string) {
    const facts = { tool_name: call.name, tool_use_id: call.id, tool_input: call.input };
    let answer: unknown;
    let refused = true;
    try {
      facts.tool_input = await this.#permit(call, agent);
      answer = await this.#execute({ ...call, input: facts.tool_input }, agent);
      refused = false;
    } catch (error) {
      answer = (error as Error).message;
    }
    const text = typeof answer === "string" ? answer : JSON.stringify(answer);
    this.#played.answers.push({ id: call.id, tool: call.name, refused, text });
    const content = [
      { type: "tool_result", tool_use_id: call.id, content: text, is_error: refused },
    ];
    this.#say({ type: "user", message: { role: "user", content }, parent_tool_use_id: null });
    return { ...facts, tool_response: text };
  }

  /** The input that may run: hooks first, of which a denial is final and an edit wins; then rules; then the host. */
  async #permit({ name, id, input: given }: Required<ScriptedCall>, agent?: string) {
    const facts = { tool_name: name, tool_use_id: id };
    const by = { id, agent };
    let input = given;
    const said = new Set<unknown>();
    const before = { hook_event_name: "PreToolUse" as const, ...facts, tool_input: given };
    for (const { decision, reason, hookSpecificOutput = {} } of await this.#fire(before, by)) {
      const { permissionDecision, permissionDecisionReason, updatedInput } =
        hookSpecificOutput as Json;
      if (decision === "block") throw new Error(String(reason));
      if (permissionDecision === "deny") throw new Error(String(permissionDecisionReason));
      said.add(permissionDecision);
      input = updatedInput ?? input;
    }
    if (!said.has("ask") && (said.has("allow") || this.#isAllowed(name))) return input;
    const request = { tool_name: name, tool_input: input };
    for (const { hookSpecificOutput } of await this.#fire(
      { hook_event_name: "PermissionRequest", ...request },
      by,
    )) {
      const { decision } = Object(hookSpecificOutput) as { decision?: Json };
      if (decision) return permitted(decision, input);
    }
    if (this.#argument("--permission-prompt-tool") !== "stdio") {
      throw new Error(`permission to use ${name} has not been granted`);
    }
    const asked = { ...facts, input: Object(input) as Json, ...this.#from(name) };
    const who = agent !== undefined && { agent_id: agent };
    return permitted(await this.#host.ask({ subtype: "can_use_tool", ...asked, ...who }), input);
  }

  #isAllowed(tool: string): boolean {
    if (this.#argument("--permission-mode") === "bypassPermissions") return true;
    const rules = this.#argument("--allowedTools")?.split(",") ?? [];
    return rules.some((rule) => rule === tool || (rule !== "" && tool.startsWith(`${rule}__`)));
  }

  async #execute({ name, id, input }: Required<ScriptedCall>, agent?: string): Promise<unknown> {
    const facts = { tool_name: name, tool_use_id: id, tool_input: input };
    const by = { id, agent };
    try {
      const tool_response = await this.#run({ name, id, input });
      await this.#fire({ hook_event_name: "PostToolUse", ...facts, tool_response }, by);
      return tool_response;
    } catch (error) {
      const { message } = error as Error;
      await this.#fire({ hook_event_name: "PostToolUseFailure", ...facts, error: message }, by);
      throw error;
    }
  }

  async #run({ name, id, input }: Required<ScriptedCall>): Promise<unknown> {
    const { agents = {}, builtins = {} } = this.#scripted;
    const [, server = "", tool] = /^mcp__(.+?)__(.+)$/.exec(name) ?? [];
    if (this.#host.servers.includes(server)) {
      const params = { name: tool, arguments: input, _meta: { "claudecode/toolUseId": id } };
      const { isError, content } = await this.#host.mcp(server, "tools/call", params);
      const text = (content as { text?: string }[]).map((block) => block.text ?? "").join("\n");
      if (isError === true) throw new Error(text);
      return text;
    }
    const { subagent_type: type = "" } = Object(input) as { subagent_type?: string };
    if (name === "Agent" && agents[type]) return this.#play(agents[type], `${type}-${id}`);
    if (!builtins[name]) throw new Error(`No such tool available: ${name}`);
    return builtins[name](input as never);
  }

  #fire(facts: Facts, { id, agent }: { id?: string; agent?: string | undefined } = {}) {
    const base: BaseHookInput = { session_id: this.#session, transcript_path: "", cwd: "/" };
    if (agent !== undefined) base.agent_id = agent;
    const from = "tool_name" in facts ? this.#from(facts.tool_name) : {};
    return this.#host.fire({ ...base, ...from, ...facts } as HookInput, id);
  }

  /** Where the tool comes from. */
  #from(tool: string): { mcp_server?: McpServerProvenance } {
    const [, name] = /^mcp__(.+?)__/.exec(tool) ?? [];
    if (name === undefined) return {};
    return { mcp_server: { name, source: this.#host.servers.includes(name) ? "sdk" : "dynamic" } };
  }

  #say(message: Json): void {
    this.#host.say({ ...message, session_id: this.#session });
  }

  #result(outcome: Json): void {
    this.#say({ type: "result", num_turns: 1, ...outcome });
  }

  /** Written as two arguments or as `--name=value`. */
  #argument(name: string): string | undefined {
    const at = this.#args.indexOf(name);
    if (at >= 0) return this.#args[at + 1];
    const joined = this.#args.find((each) => each.startsWith(`${name}=`));
    return joined?.slice(name.length + 1);
  }
}

function permitted({ behavior, message, updatedInput }: Json, input: unknown): unknown {
  if (behavior !== "allow") throw new Error(String(message));
  return updatedInput ?? input;
}
