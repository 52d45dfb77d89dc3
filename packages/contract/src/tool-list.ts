import type { JsonSchema, Surface } from "./tool.ts";
import { advertisedSchema, modelTools, tools } from "./tools.ts";

/** One entry of `tools/list`. */
export interface ListedTool {
  readonly name: string;
  readonly description: string;
  readonly inputSchema: JsonSchema;
}

/** What `tools/list` answers on a surface: dotted names, the table's order. */
export function toolList(surface: Surface): ListedTool[] {
  return modelTools(surface).map((key) => ({
    name: tools[key].id,
    description: tools[key].description,
    inputSchema: advertisedSchema(tools[key], surface),
  }));
}
