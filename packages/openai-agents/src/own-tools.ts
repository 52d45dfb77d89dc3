import { toJsonSchema } from "@agentkeys/contract";
import { brandOwn, type OwnToolsOptions, ownTools, type ToolSource } from "@agentkeys/core";
import { tool } from "@openai/agents-core";
import type { AnyFunctionTool } from "./sdk-tool.ts";

/**
 * The source's operations as function tools. What the authority refuses or cannot do is a text for the model, as the SDK's own
 * errors are, and never ends the run.
 */
export function agentKeysTools(
  source: ToolSource,
  options: OwnToolsOptions = {},
): AnyFunctionTool[] {
  return ownTools(source, options).map(({ name, row, schema, call }) => {
    const parameters = { properties: {}, required: [], ...toJsonSchema(schema) };
    const own = tool({
      name,
      description: row.description,
      // Not strict: a strict schema has no optional fields.
      parameters: { ...parameters, type: "object", additionalProperties: true },
      strict: false,
      execute: (input, _context, details) => call(schema.parse(input), details?.signal),
      errorFunction: (_context, error) => `Error: ${(error as Error).message}`,
    });
    brandOwn(own.invoke);
    return own;
  });
}
