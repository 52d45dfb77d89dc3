import { brandGuarded, type Guard, isGuardedBy, isOwn } from "@agentkeys/core";
import type { ToolsInput } from "@mastra/core/agent";
import { createTool, isValidationError, MASTRA_TOOL_MARKER } from "@mastra/core/tools";
import { type CallContext, factsOf, isDenied, readingsOf, watch } from "./call.ts";

/**
 * The same tools, each deciding for itself wherever it is called: in an agent, a workflow, a sub-agent, directly.
 * Tools that do not run here (no `execute`) and AgentKeys' own are returned as they are. Keys are the names that
 * the guard knows, as the model sees them: Mastra shows `a.b` as `a_b`.
 */
export function guardTools<T extends ToolsInput>(guard: Guard, tools: T): T {
  const guarded = Object.entries(tools).map(([key, tool]) => [key, guardTool(guard, key, tool)]);
  return Object.fromEntries(guarded) as T;
}

type Parse = (input: unknown, context: CallContext) => Promise<{ input: unknown }>;
interface AnyTool {
  inputSchema?: unknown;
  execute?: ((input: never, context: never) => unknown) | undefined;
  toModelOutput?: (output: unknown) => unknown;
}

function guardTool(guard: Guard, key: string, tool: object & AnyTool): AnyTool {
  if (!tool.execute || isOwn(tool) || isGuardedBy(tool, guard)) return tool;
  const safe = key.replaceAll(/[^\w-]/g, "_");
  const name = safe.replace(/^(?![a-z_])/i, "_").slice(0, 63);
  const map = tool.toModelOutput?.bind(tool);
  // Made for results: a denial could make it throw, which ends the run, or be kept from the model by it.
  const toModelOutput = (output: unknown) => (isDenied(output) ? undefined : map?.(output));
  const execute = guardedExecute(guard, name, tool);
  const copy: AnyTool = Object.create(Object.getPrototypeOf(tool) as object, {
    ...Object.getOwnPropertyDescriptors(tool),
    ...Object.getOwnPropertyDescriptors({ execute, ...(map && { toModelOutput }) }),
  });
  return brandGuarded(copy, guard);
}

function guardedExecute(guard: Guard, name: string, tool: AnyTool) {
  const parses = MASTRA_TOOL_MARKER in tool;
  const { inputSchema: schema } = tool;
  const known = readingsOf(guard).get(name) ?? [];
  const reading = known.find((one) => one.schema === schema) ?? { schema, again: parses };
  readingsOf(guard).set(name, [reading, ...known.filter((one) => one !== reading)].slice(0, 9));
  // Mastra's own parsing, by the same schema and in the call's context, shows what the tool's function would get.
  const inputSchema = (parses ? schema : undefined) as never;
  const execute = async (input: unknown) => ({ input });
  const parse = createTool({ id: name, description: "", inputSchema, execute }).execute as Parse;

  return async (input: unknown, context: CallContext = {}): Promise<unknown> => {
    const read = await parse(input, context);
    if (isValidationError(read)) return read;
    reading.again = read.input !== input;
    const outcomeOf = watch(context);
    const call = await guard.open({ tool: name, input: read.input, ...factsOf(context) });
    if (call.status !== "open") return { error: true, code: call.code, message: call.message };
    try {
      const given = parses ? asItStands(context) : context;
      const output = await tool.execute?.(call.input as never, given as never);
      await call.end(outcomeOf({ output }));
      return output;
    } catch (error) {
      await call.end(outcomeOf({ error }));
      throw error;
    }
  };
}

/** A tool that is resumed parses nothing, and asks first of all whether it is: here it hears yes, once. */
function asItStands(context: CallContext): CallContext {
  let asked = 0;
  const get = (): unknown => asked++ === 0 || context.resumeData;
  return Object.defineProperty({ ...context }, "resumeData", { get, enumerable: true });
}
