import { createSdkMcpServer } from "@anthropic-ai/claude-agent-sdk";
import type {
  McpSdkServerConfigWithInstance,
  McpServerConfig,
} from "@anthropic-ai/claude-agent-sdk";
import { AgentKeysError } from "@agentkeys/contract";
import { type Guard, isGuardedBy, isOwn, type WrapOptions } from "@agentkeys/core";
import { mcpName } from "./own-tools.ts";

type Definitions = NonNullable<Parameters<typeof createSdkMcpServer>[0]["tools"]>;
type Handler = (...args: unknown[]) => unknown;
type Parsed = { success: true; data: unknown } | { success: false; error: Error };

/** A tool as its server keeps it. */
export interface RegisteredTool {
  inputSchema: { safeParseAsync(input: unknown): Promise<Parsed> };
  handler: Handler;
  update(changes: { callback: Handler }): void;
}

const guardedTools = new WeakMap<Guard, Map<string, RegisteredTool>>();

/** What decides for itself under this name, if anything does. */
export function guardedTool(guard: Guard, name: string): RegisteredTool | undefined {
  return guardedTools.get(guard)?.get(name);
}

/**
 * The servers of `mcpServers`: each tool of an in-process one now decides for itself before it runs, whatever becomes of the
 * hooks. Such a server is changed in place; a list of tool definitions becomes one. Servers that run elsewhere are left to the
 * hooks. A refused call is an error result. The guard knows a tool as the model does: `mcp__<key>__<name>`.
 */
export function guardTools<const T extends Record<string, McpServerConfig | Definitions>>(
  guard: Guard,
  servers: T,
): { [K in keyof T]: T[K] extends McpServerConfig ? T[K] : McpSdkServerConfigWithInstance } {
  const names = guardedTools.get(guard) ?? new Map<string, RegisteredTool>();
  guardedTools.set(guard, names);
  const guarded = Object.entries(servers).map(([key, given]) => {
    const server = Array.isArray(given) ? createSdkMcpServer({ name: key, tools: given }) : given;
    for (const [tool, registered] of toolsOf(server)) {
      const name = mcpName(key, tool);
      const { handler } = registered;
      if (isOwn(handler)) continue;
      if (!isGuardedBy(handler, guard))
        registered.update({ callback: guard.wrap(name, handler, mcp) });
      names.set(name, registered);
    }
    return [key, server];
  });
  return Object.fromEntries(guarded);
}

/** The tools of an in-process server; of any other none. */
export function toolsOf(server: McpServerConfig): [string, RegisteredTool][] {
  if (!("instance" in server)) return [];
  const { _registeredTools: tools } = Object(server.instance) as { _registeredTools?: unknown };
  const known = Object.entries(Object(tools) as Record<string, RegisteredTool>);
  const are = known.every(([, tool]) => tool.inputSchema && typeof tool.handler === "function");
  if (tools && are) return known;
  const problem = `${server.name} has tools without an input schema or a plain handler`;
  throw new AgentKeysError("config_invalid", `mcpServers: ${problem}`);
}

const mcp: WrapOptions<unknown[]> = {
  call: (_input, extra) => {
    const { signal, _meta } = extra as { signal?: AbortSignal; _meta?: Record<string, string> };
    return { signal, callId: _meta?.["claudecode/toolUseId"] };
  },
  outcome: (settled) => ("result" in settled && hasFailed(settled.result) ? "error" : undefined),
};

/** MCP reports a failure in a result. */
export function hasFailed(result: unknown): boolean {
  return (Object(result) as { isError?: unknown }).isError === true;
}
