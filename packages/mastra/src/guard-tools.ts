import { brandGuarded, copyWith, deniedOutput, type Guard } from "@agentkeys/core";
import { isDeniedOutput, isGuardedBy, isOwn } from "@agentkeys/core";
import type { ToolsInput } from "@mastra/core/agent";
import { createTool, isValidationError, MASTRA_TOOL_MARKER } from "@mastra/core/tools";
import { validateToolInput } from "@mastra/core/tools";
import { askedFor, asking, unlessSuspended, withAnswers } from "./asking.ts";
import { type CallContext, factsOf, type Pause, watch } from "./call.ts";
import { announced } from "./presence.ts";
import { withDates } from "./with-dates.ts";

/**
 * The same tools, each deciding for itself wherever it is called: in an agent, a workflow, a sub-agent, directly.
 * Tools that do not run here (no `execute`) and AgentKeys' own are returned as they are. Keys are the names that
 * the guard knows, as the model sees them: Mastra shows `a.b` as `a_b`.
 */
export function guardTools<T extends ToolsInput>(guard: Guard, tools: T): T {
  return mapped(tools, (tool, key) => guardTool(guard, key, tool));
}

/** The same keys, other values. */
export function mapped<T extends object>(all: T, change: (one: never, key: string) => unknown): T {
  const entries = Object.entries(all).map(([key, one]) => [key, change(one as never, key)]);
  return Object.fromEntries(entries) as T;
}

/** The name that the model sees. */
export function nameOf(key: string): string {
  const safe = key.replaceAll(/[^\w-]/g, "_");
  return safe.replace(/^(?![a-z_])/i, "_").slice(0, 63);
}

export type AnyTool = { [K in "inputSchema" | "parameters" | "resumeSchema"]?: unknown } & {
  execute?: (input: never, context: never) => unknown;
  toModelOutput?: (output: unknown) => unknown;
};
type Parse = (input: unknown, context: CallContext) => Promise<{ input: unknown }>;

export function guardTool(guard: Guard, key: string, tool: AnyTool): AnyTool {
  if (!tool.execute || isOwn(tool) || isGuardedBy(tool, guard)) return tool;
  const id = nameOf(key);
  const inputSchema = (tool.inputSchema ?? tool.parameters) as never;
  const { resumeSchema, toModelOutput: map } = tool;
  // Mastra's own parsing, by the same schema and in the call's context, shows what the tool's function would get.
  const read = async (input: unknown) => ({ input });
  const reader = createTool({ id, description: "", inputSchema, execute: read });
  // Only Mastra's tools are told their run, so one of the AI SDK is made one. The loop alone parses its input.
  const isMastras = MASTRA_TOOL_MARKER in tool;
  const made = { id, inputSchema: reader.inputSchema, [MASTRA_TOOL_MARKER]: true };
  const parse = (isMastras ? reader.execute : read) as Parse;
  const validated = (input: unknown) => validateToolInput(inputSchema, input).data;
  const byLoop = (raw: unknown) => validated(raw) ?? validated(withDates(inputSchema, raw)) ?? raw;
  const copy = copyWith(tool, {
    ...(!isMastras && made),
    execute: guardedExecute(guard, tool, { id, parse, byLoop }),
    resumeSchema: withAnswers(resumeSchema),
    // Made for results: a denial could make it throw, which ends the run, or be kept from the model by it.
    ...(map && { toModelOutput: (out) => (isDeniedOutput(out) ? undefined : map.call(tool, out)) }),
  });
  return brandGuarded(announced(copy, id), guard);
}

type Reading = { id: string; parse: Parse; byLoop: (raw: unknown) => unknown };

function guardedExecute(guard: Guard, tool: AnyTool, { id, parse, byLoop }: Reading) {
  return async (raw: unknown, context: CallContext = {}): Promise<unknown> => {
    const at: Pause = context.agent ?? context.workflow ?? {};
    const { resumeData, suspendPayload } = at;
    const resumed = resumeData != null;
    const asked = resumed ? askedFor(at) : undefined;
    // A resumed call is parsed by nobody any more. Here it is, so that it is the call that it was.
    if (resumed) Object.assign(at, { resumeData: undefined, suspendPayload: undefined });
    const read = await parse(resumed ? byLoop(raw) : raw, context);
    if (isValidationError(read)) return read;
    // What was said to the guard is not for the tool to hear.
    if (resumed && !asked) Object.assign(at, { resumeData, suspendPayload });
    const call = { tool: id, input: read.input, ...factsOf(context) };
    if (asked && Object(resumeData).approved === false) {
      await guard.client.approvals.withdraw(asked.id).catch(() => undefined);
      return deniedOutput(await guard.refuse(call, "declined", "whoever resumed the run said no"));
    }
    // The calls of a turn are decided one after another.
    const step = context.agent?.outputWriter;
    const options = { resumed, step, ...asking(guard, context), outcome: watch(context) };
    const given = asItStands(context) as never;
    const run = (input: unknown) => tool.execute?.(input as never, given);
    const ran = await guard.run(call, run, options).catch(unlessSuspended);
    return ran?.status === "ran" ? ran.result : ran && deniedOutput(ran);
  };
}

/** A tool that is resumed parses nothing, and asks first of all whether it is: here it hears yes, once. The AI SDK's look for ids on top. */
function asItStands(context: CallContext): CallContext {
  let asked = 0;
  const { resumeData } = context;
  const once = { get: (): unknown => asked++ === 0 || resumeData, enumerable: true };
  return Object.defineProperty({ ...context.agent, ...context }, "resumeData", once);
}
