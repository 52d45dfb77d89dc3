import { brandGuarded, deniedOutput, type Guard, isDeniedOutput } from "@agentkeys/core";
import type { ToolAfterHookContext, ToolHooks } from "@mastra/core/tools";
import { type CallContext, factsOf, watch } from "./call.ts";
import { decidesItself } from "./presence.ts";

/**
 * The agent-level seam: decides, by its name, every tool that the agent runs and that does not decide for itself, whoever
 * added it. Hooks of your own go first and may change or stop a call; what is then left of it is decided. Their
 * `afterToolCall` comes last.
 */
export function agentKeysHooks(guard: Guard, theirs: ToolHooks = {}): Required<ToolHooks> {
  const running = new WeakMap<object, (call: ToolAfterHookContext) => Promise<void>>();
  const hooks: Required<ToolHooks> = {
    async beforeToolCall(call) {
      const answer = await theirs.beforeToolCall?.(call);
      const { toolName: tool, input } = call;
      const context = call.context as CallContext;
      if (answer?.proceed === false) return answer;
      if (decidesItself(guard, tool, context)) return undefined;
      // Nobody here could suspend the run for it.
      const asking = { mayAsk: false, step: context.outputWriter };
      const verdict = await guard.open({ tool, input, ...factsOf(context) }, asking);
      if (verdict.status !== "open") {
        // Mastra's own tools turn their results into text for the model, and know texts only.
        const isText = /^(agent-|mastra_)/.test(tool);
        return { proceed: false, output: isText ? verdict.message : deniedOutput(verdict) };
      }
      const outcomeOf = watch(context);
      running.set(context, (seen) => verdict.end(outcomeOf(seen)));
      return undefined;
    },
    async afterToolCall(call) {
      const end = running.get(call.context as object);
      await end?.(call).catch(() => undefined);
      // What was denied has no end.
      if (end || !isDeniedOutput(call.output)) await theirs.afterToolCall?.(call);
    },
  };
  return brandGuarded(hooks, guard);
}
