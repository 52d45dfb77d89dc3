import { isGuardedBy, isOwn } from "@agentkeys/core";
import type { Guard, WrapOptions } from "@agentkeys/core";
import type { Experimental_ToolCallerTool, ModelMessage, ToolExecutionOptions, ToolSet } from "ai";

type AnyTool = ToolSet[string];
type Arguments = [input: unknown, options?: ToolExecutionOptions<unknown>];
type Execute = (...args: Arguments) => unknown;

/**
 * The same tools, each deciding for itself before it runs: in an agent, in a sub-agent, in code mode or called
 * directly. A refused call throws AgentKeysError (`data` holds reason and explanation). Tools that do not run
 * here (no `execute`) and AgentKeys' own are returned as they are. Keys are the names that the guard knows.
 */
export function guardTools<T extends ToolSet>(guard: Guard, tools: T): T {
  return Object.fromEntries(
    Object.entries(tools).map(([name, tool]) => [name, guardTool(guard, name, tool)]),
  ) as T;
}

function guardTool(guard: Guard, name: string, tool: AnyTool): AnyTool {
  const execute = tool.execute as Execute | undefined;
  const caller = (tool as Partial<Experimental_ToolCallerTool>).experimental_toolCaller;
  if (isOwn(execute) || isGuardedBy(execute, guard)) return tool;
  // Descriptors, because a spread would lose a tool caller's hidden property and a class's methods.
  const copy = Object.getOwnPropertyDescriptors(tool) as PropertyDescriptorMap;
  if (typeof execute === "function") {
    const guarded = guard.wrap(name, drained(execute.bind(tool)), frameworkCall);
    const onInputStart = (options: ToolExecutionOptions<unknown>) => {
      // The loop tells the run's signal here, and none to `toolApproval`, which it asks later.
      signals.set(options.messages, options.abortSignal);
      return tool.onInputStart?.(options);
    };
    copy["execute"] = { value: guarded, enumerable: true };
    copy["onInputStart"] = { value: onInputStart, enumerable: true };
  }
  if (caller?.type === "local") {
    // The SDK runs what `bind` makes of this tool at each step, and not the tool itself.
    const bind = (tools: ToolSet) => guardTool(guard, name, caller.bind(tools));
    copy["experimental_toolCaller"] = { value: { ...caller, bind } };
  }
  return Object.create(Object.getPrototypeOf(tool) as object | null, copy) as AnyTool;
}

const frameworkCall: WrapOptions<Arguments> = {
  call: (_input, options) => ({ callId: options?.toolCallId, signal: options?.abortSignal }),
  // MCP tools report a failure in a result, which the SDK takes for a success.
  outcome: (result) =>
    (result as { isError?: unknown } | null)?.isError === true ? "error" : "ok",
};

/**
 * An async generator function streams its results and stays one. A plain function that returns an iterable cannot
 * wait for a decision and stream as well: its last value, which is its result, is read here.
 */
function drained(execute: Execute): Execute {
  if (Object.prototype.toString.call(execute) === "[object AsyncGeneratorFunction]") return execute;
  return async (...args) => {
    let result = await execute(...args);
    const values = result as AsyncIterable<unknown> | null | undefined;
    if (values?.[Symbol.asyncIterator] === undefined) return result;
    for await (result of values);
    return result;
  };
}

/** The signal of the run whose step was given these messages: the array itself is the step's identity. */
export const signals = new WeakMap<readonly ModelMessage[], AbortSignal | undefined>();
