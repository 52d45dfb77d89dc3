import { isDeepStrictEqual } from "node:util";
import type { Guard, Outcome } from "@agentkeys/core";
import { isValidationError, validateToolInput } from "@mastra/core/tools";
import type { ToolAfterHookContext, ToolExecutionContext } from "@mastra/core/tools";

/** What Mastra tells of a call, and makes for it alone: for hooks, its own tools, tools of the AI SDK. */
export type CallContext = Partial<ToolExecutionContext> & { toolCallId?: string };

/** What a guard's call takes from there. */
export function factsOf({ agent, toolCallId, abortSignal, mcp }: CallContext) {
  return { callId: agent?.toolCallId ?? toolCallId, signal: abortSignal ?? mcp?.extra?.signal };
}

/** Notices from now on when the tool suspends itself. Tells the outcome at the end: of an output, or of an error. */
export function watch(context: CallContext) {
  const at: Pick<CallContext, "suspend"> = context.agent ?? context.workflow ?? context;
  const { suspend } = at;
  let suspended = false;
  if (suspend) at.suspend = (...args) => ((suspended = true), suspend(...args));
  return (seen: Pick<ToolAfterHookContext, "output" | "error">): Outcome => {
    if (suspended) return "suspended";
    if ("error" in seen) return factsOf(context).signal?.aborted === true ? "aborted" : "error";
    return isValidationError(seen.output) || isDenied(seen.output) ? "error" : "ok";
  };
}

/** A denial as the model reads it; by shape, because Mastra copies results on their way. */
export function isDenied(output: unknown): boolean {
  const { error, message } = (output ?? {}) as { error?: unknown; message?: Partial<string> };
  return error === true && message?.startsWith?.("Denied by AgentKeys: ") === true;
}

/** An input is parsed by the agent loop and `again` by the tool, but not for every model. Here: as it was last. */
type Reading = { schema?: unknown; again?: boolean };
const readings = new WeakMap<Guard, Map<string, Reading[]>>();

/** By tool name, all that a seam knows of a tool; several where one guard has tools of one name, the newest first. */
export function readingsOf(guard: Guard): Map<string, Reading[]> {
  const known = readings.get(guard) ?? new Map<string, Reading[]>();
  readings.set(guard, known);
  return known;
}

/** What the tool's function may get, likeliest first: two where the schema changes what it has changed; or an error. */
export function readRaw(raw: unknown, { schema, again }: Reading, tool: string) {
  const parse = (input: unknown) => validateToolInput(schema as never, input, tool);
  const plain = parse(raw);
  // Where Mastra adapts the schema to the model, it makes dates of texts before it parses.
  const once = plain.error ? parse(withDates(raw, plain.error.validationErrors)) : plain;
  if (once.error) return plain.error;
  const twice = parse(once.data);
  if (twice.error || isDeepStrictEqual(twice.data, once.data)) return [{ input: once.data, again }];
  const byLoop = { input: once.data, again: false };
  const byTool = { input: twice.data, again: true };
  return again === true ? [byTool, byLoop] : [byLoop, byTool];
}

/** A date for every text that the schema refused. */
function withDates(value: unknown, refused: object): unknown {
  if (typeof value === "string") return new Date(value);
  const copy = structuredClone(Object(value));
  const { fields = {} } = refused as { fields?: Record<string, object> };
  for (const [key, at] of Object.entries(fields)) copy[key] = withDates(copy[key], at);
  return copy;
}
