import { copyWith, type Guard, isGuardedBy, isOwn, type Settled } from "@agentkeys/core";
import type { Experimental_ToolCallerTool, ModelMessage, ToolExecutionOptions, ToolSet } from "ai";
import "./coverage.ts";
import "./sub-agents.ts";

type AnyTool = ToolSet[string];
type Execute = (input: unknown, options?: ToolExecutionOptions<unknown>) => unknown;

/** The signal of the run whose step was given these messages: the array itself is the step's identity. */
export const signals = new WeakMap<readonly ModelMessage[], AbortSignal>();

/**
 * The same tools, each deciding for itself before it runs: in an agent, in a sub-agent, in code mode or called directly.
 * A refused call throws AgentKeysError (`data` holds reason and explanation). Tools that do not run here (no `execute`)
 * and AgentKeys' own are returned as they are. Keys are the names that the guard knows.
 */
export function guardTools<T extends ToolSet>(guard: Guard, tools: T): T {
  const guarded = Object.entries(tools).map(([name, tool]) => [name, guardTool(guard, name, tool)]);
  return Object.fromEntries(guarded) as T;
}

function guardTool(guard: Guard, name: string, tool: AnyTool): AnyTool {
  const { execute } = tool;
  if (isOwn(execute) || isGuardedBy(execute, guard)) return tool;
  const changes: Partial<AnyTool> = {};
  if (execute !== undefined) {
    changes.execute = guard.wrap(name, (execute as Execute).bind(tool), {
      call: (_, options) => ({ callId: options?.toolCallId, signal: options?.abortSignal }),
      outcome: failedInResult,
      drain: true,
    });
    changes.onInputStart = (options) => {
      // The loop tells the run's signal here, and none to `toolApproval`, which it asks later.
      if (options.abortSignal === undefined) signals.delete(options.messages);
      else signals.set(options.messages, options.abortSignal);
      return tool.onInputStart?.(options);
    };
  }
  const caller = (tool as Partial<Experimental_ToolCallerTool>).experimental_toolCaller;
  if (caller?.type === "local") {
    // The SDK runs what `bind` makes of this tool at each step, and that runs the tools it is given by itself.
    const bind = (tools: ToolSet) => guardTool(guard, name, caller.bind(guardTools(guard, tools)));
    Object.defineProperty(changes, "experimental_toolCaller", { value: { ...caller, bind } });
  }
  return copyWith(tool, changes);
}

/** MCP tools report a failure in a result, which the SDK takes for a success. */
function failedInResult(settled: Settled) {
  const result = "result" in settled ? (settled.result as { isError?: unknown } | null) : undefined;
  return result?.isError === true ? "error" : undefined;
}
