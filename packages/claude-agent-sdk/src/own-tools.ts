import { createSdkMcpServer, tool } from "@anthropic-ai/claude-agent-sdk";
import type { McpSdkServerConfigWithInstance } from "@anthropic-ai/claude-agent-sdk";
import { brandOwn, ownTools, type OwnToolsOptions, type ToolSource } from "@agentkeys/core";

const server = "agentkeys";

/**
 * The source's operations as one in-process MCP server, to spread into `mcpServers`: the model sees `mcp__agentkeys__memory_get`.
 * What the source refuses or cannot do is an error result with its own text.
 */
export function agentKeysTools(
  source: ToolSource,
  { only }: Pick<OwnToolsOptions, "only"> = {},
): Record<typeof server, McpSdkServerConfigWithInstance> {
  const prefix = mcpName(server, "");
  // The hooks see names and no objects.
  const own = ownTools(source, { prefix, ...(only && { only }) }, { byName: true });
  const tools = own.map(({ name, row, schema, call }) => {
    const handler = brandOwn(async (input: unknown, extra: unknown) => {
      const answer = await call(input, (extra as { signal?: AbortSignal }).signal);
      return { content: [{ type: "text" as const, text: JSON.stringify(answer) }] };
    });
    return tool(name.slice(prefix.length), row.description, schema.shape, handler);
  });
  return { [server]: createSdkMcpServer({ name: server, tools }) };
}

/** What the model sees of a server's tool. */
export function mcpName(key: string, name: string): string {
  return `mcp__${[key, name].map((part) => part.replaceAll(/[^\w-]/g, "_")).join("__")}`;
}
