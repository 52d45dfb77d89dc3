import { type ToolKey, tools } from "@agentkeys/contract";
import type { CallOptions, Operations } from "./client-surface.ts";
import type { JsonObject } from "../guard/guard-surface.ts";

type Invoke = (key: ToolKey, input: JsonObject, options: CallOptions) => Promise<unknown>;

/** `agentkeys.memory.get` becomes `memory.get`, for every row of the contract. */
export function createOperations(invoke: Invoke): Operations {
  const groups: Record<string, Record<string, unknown>> = {};
  for (const key of Object.keys(tools) as ToolKey[]) {
    const [, group = "", method = ""] = tools[key].id.split(".");
    (groups[group] ??= {})[method] = (input: JsonObject = {}, options: CallOptions = {}) =>
      invoke(key, input, options);
  }
  for (const group of Object.values(groups)) Object.freeze(group);
  return groups as unknown as Operations;
}
