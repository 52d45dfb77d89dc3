import type { modelPrefix } from "@agentkeys/contract";
import { brandOwn, ownTools, type OwnToolsOptions, type ToolSource } from "@agentkeys/core";
import { createTool, type Tool } from "@mastra/core/tools";

/**
 * The source's operations as Mastra tools. What the authority refuses or cannot do is thrown as AgentKeysError: for the
 * model a tool error. Keys are typed by pattern, so that a map these are spread into keeps its own tools' types.
 */
export function agentKeysTools<const Prefix extends string = typeof modelPrefix>(
  source: ToolSource,
  options: OwnToolsOptions & { prefix?: Prefix } = {},
): Record<`${Prefix}${string}`, Tool> {
  const own = ownTools(source, options, { byName: true });
  const tools = own.map(({ name, row: { id, description }, schema: inputSchema, call }) => {
    const mcp = { _meta: { agentkeys: { tool: id } } };
    const execute = (input: unknown, run: { abortSignal?: AbortSignal }) =>
      call(input, run.abortSignal);
    return [name, brandOwn(createTool({ id: name, description, inputSchema, mcp, execute }))];
  });
  return Object.fromEntries(tools) as Record<`${Prefix}${string}`, Tool>;
}
