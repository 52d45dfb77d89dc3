import type { modelPrefix } from "@agentkeys/contract";
import { brandOwn, ownTools } from "@agentkeys/core";
import type { JsonObject, OwnToolsOptions, ToolSource } from "@agentkeys/core";
import type { Tool } from "ai";

/**
 * The source's operations as tools. What the authority refuses or cannot do is thrown as AgentKeysError, which
 * the loop shows the model as a `tool-error` and goes on. `metadata.agentkeys.tool` holds the dotted id. Named by
 * pattern and not by any string, so that a map these are spread into keeps its own tools' types.
 */
export function agentKeysTools<const Prefix extends string = typeof modelPrefix>(
  source: ToolSource,
  options: OwnToolsOptions & { prefix?: Prefix } = {},
): Record<`${Prefix}${string}`, Tool<JsonObject, unknown>> {
  const tools = ownTools(source, options).map(({ name, row, schema, call }) => {
    const metadata = { agentkeys: { tool: row.id } };
    const execute = brandOwn((input: unknown, run?: { abortSignal?: AbortSignal }) =>
      call(input, run?.abortSignal),
    );
    return [name, { description: row.description, inputSchema: schema, metadata, execute }];
  });
  return Object.fromEntries(tools);
}
