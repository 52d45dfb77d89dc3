import { brandGuarded, type Guard } from "@agentkeys/core";
import type { ToolRunnableConfig } from "@langchain/core/tools";
import { type AgentMiddleware, createMiddleware, ToolInvocationError } from "langchain";
import { decides, guardTool } from "./guard-tools.ts";
import { failedCall, isControlFlow, underGuard } from "./under-guard.ts";

/**
 * Governs every tool call of an agent, also of other middlewares' tools, unknown and dynamic ones. It belongs last, where
 * the call is final. A tool object runs as its guarded twin, which decides; where there is none, this does. A tool's own
 * error is a message for the model, as where nothing wraps tool calls; with `toolErrors: "throw"` (default: "message") the
 * middlewares outside get it (a retry, say), as where something does.
 */
export function agentKeysMiddleware(
  guard: Guard,
  { toolErrors = "message" }: { toolErrors?: "message" | "throw" } = {},
): AgentMiddleware<undefined, undefined, unknown, readonly [], readonly []> {
  const middleware = createMiddleware({
    name: "AgentKeysGuard",
    tools: [],
    wrapToolCall: async (request, handler) => {
      const { toolCall, runtime } = request;
      const { name: tool, args: input, id: callId } = toolCall;
      const { signal, configurable } = runtime as ToolRunnableConfig;
      const call = { tool, input, callId, signal, configurable };
      try {
        if (decides(guard, request.tool)) return await handler(request);
        const object = guardTool(guard, request.tool);
        if (decides(guard, object)) return await handler({ ...request, tool: object });
        if (object !== undefined) {
          const denial = await guard.refuse(call, "unguarded_tool", "not LangChain's own invoke");
          return failedCall(call, denial.message);
        }
        return await underGuard(guard, call, (args) =>
          handler({ ...request, toolCall: { ...toolCall, args } }),
        );
      } catch (error) {
        if (toolErrors === "throw" || isControlFlow(error)) throw error;
        if (error instanceof ToolInvocationError) return failedCall(call, error.message);
        return failedCall(call, `${String(error)}\n Please fix your mistakes.`);
      }
    },
  });
  return brandGuarded(middleware, guard);
}
