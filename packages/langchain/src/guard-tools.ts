import { assertCovered, brandGuarded, type Guard, isGuardedBy, isOwn } from "@agentkeys/core";
import type { CallbackManagerForToolRun } from "@langchain/core/callbacks/manager";
import { ToolMessage } from "@langchain/core/messages";
import { Runnable, RunnableToolLike } from "@langchain/core/runnables";
import * as lc from "@langchain/core/tools";
import { markGoverned, refuseRawTools, takeWithin } from "./inner-tools.ts";
import { underGuard } from "./under-guard.ts";

export type AnyTool = lc.ClientTool | lc.ServerTool;

/**
 * The same tools, each deciding for itself wherever it is called: in an agent, a graph, a sub-agent, directly. A provider's
 * tool is left as it is; with `strict` (default: false) it is an error, as always one whose `invoke` is not LangChain's own.
 */
export function guardTools<const T extends AnyTool[] | readonly AnyTool[]>(
  guard: Guard,
  tools: T,
  { strict = false }: { strict?: boolean } = {},
): T & { readonly length: number } {
  // A bare tuple could not follow a spread array in createAgent's `tools`; the type above can.
  const guarded = tools.map((tool) => guardTool(guard, tool));
  assertCovered(guard, strict ? guarded : guarded.filter((tool) => Runnable.isRunnable(tool)));
  return guarded as readonly unknown[] as T;
}

/** Whether a call of this object is decided on without any help: AgentKeys' own tools are, by the authority. */
export function decides(guard: Guard, tool: unknown): boolean {
  return isIntact(tool) && (isOwn(tool) || isGuardedBy(tool, guard));
}

/** One tool of `guardTools`, as it is where it cannot be guarded or needs no guard. */
export function guardTool<T>(guard: Guard, tool: T): T {
  if (decides(guard, tool) || !isIntact(tool)) return tool;
  const guarded = lc.isRunnableToolLike(tool) ? guardBound(guard, tool) : guardCall(guard, tool);
  return brandGuarded(guarded, guard);
}

const { StructuredTool, Tool, DynamicTool, DynamicStructuredTool } = lc;
const prototypes = [DynamicStructuredTool, StructuredTool, Tool, DynamicTool, RunnableToolLike].map(
  (own) => own.prototype as Partial<lc.StructuredTool>,
);

/** LangChain's own methods lead to where the guard stands; what somebody has put in their place may not. */
export function isIntact<T>(tool: T): tool is T & lc.StructuredTool {
  const { invoke, call } = Object(tool) as Partial<lc.StructuredTool>;
  return prototypes.some((own) => own.invoke === invoke && own.call === call);
}

/** Class, schema and callbacks are inherited; only the place where the work is done is the guard's. */
function guardCall<T extends lc.StructuredTool>(guard: Guard, tool: T): T {
  const within = refuseRawTools(guard);
  const run = async (
    args: unknown,
    runManager?: CallbackManagerForToolRun,
    config: lc.ToolRunnableConfig = {},
  ): Promise<unknown> => {
    // A guard decides on objects: the text of a string tool stands under `input`, where the model put it.
    const isObject = typeof args === "object" && args !== null && !Array.isArray(args);
    const input = isObject ? args : { input: args };
    const { name, responseFormat } = guarded;
    const { signal, configurable, toolCall } = config;
    const call = { tool: name, input, callId: toolCall?.id, signal, configurable };
    const answer = await within(() =>
      underGuard(guard, call, (copy): unknown =>
        tool["_call"](isObject ? copy : copy["input"], runManager, config),
      ),
    );
    const asPair = responseFormat === "content_and_artifact" && ToolMessage.isInstance(answer);
    return asPair ? [answer, undefined] : takeWithin(within, answer);
  };
  const own = { value: run }; // for good: whoever could replace it would keep the brand
  const guarded: T = Object.create(tool, { _call: own, ...("func" in tool && { func: own }) });
  return markGoverned(guarded);
}

/** All that runs a RunnableToolLike (invoke, batch, stream) leads through `bound`. */
function guardBound<T extends RunnableToolLike>(guard: Guard, tool: T): T {
  const { name, description = "", schema } = tool;
  const run = (input: { type?: unknown }, config: lc.ToolRunnableConfig): Promise<unknown> => {
    // `bound` would take it for a call, and run what is inside instead of what was decided on.
    if (input.type === "tool_call") throw new lc.ToolInputParsingException("not a tool's input");
    return tool.bound.invoke(input, config);
  };
  const inner = lc.tool(run, { name, description, schema }) as lc.StructuredTool;
  return Object.create(tool, { bound: { value: guardCall(guard, inner) } }) as T;
}
