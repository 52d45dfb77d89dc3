import { AgentKeysError } from "@agentkeys/contract";
import { brandOwn, ownTools, type OwnToolsOptions, type ToolSource } from "@agentkeys/core";
import { type DynamicStructuredTool, tool, type ToolRunnableConfig } from "@langchain/core/tools";
import { markGoverned } from "./inner-tools.ts";
import { failedCall } from "./under-guard.ts";

/**
 * AgentKeys' own operations as LangChain tools. A refusal or failure of the authority is a message with
 * status "error" for the model, and a rejection with AgentKeysError when a program calls the tool directly.
 */
export function agentKeysTools(
  source: ToolSource,
  options: OwnToolsOptions = {},
): DynamicStructuredTool[] {
  return ownTools(source, options).map(({ name, row, schema, call }) => {
    const run = (input: unknown, config: ToolRunnableConfig): Promise<unknown> =>
      call(input, config.signal).catch((error: unknown) => {
        const callId = config.toolCall?.id;
        if (callId === undefined || !AgentKeysError.is(error)) throw error;
        return failedCall({ tool: name, callId }, error.message);
      });
    const metadata = { agentkeys: { tool: row.id } };
    return brandOwn(
      markGoverned(tool(run, { name, description: row.description, schema, metadata })),
    );
  });
}
