import { brandGuarded, type Guard } from "@agentkeys/core";
import type { ToolAfterHookContext, ToolHookContext, ToolHooks } from "@mastra/core/tools";
import { type CallContext, factsOf, isDenied, readingsOf, readRaw, watch } from "./call.ts";

/**
 * The agent-level seam: decides, by its name, every tool that the agent runs, whoever added it. Hooks of your own go
 * first and may change or stop a call; what is then left of it is decided. Their `afterToolCall` comes last.
 */
export function agentKeysHooks(guard: Guard, theirs: ToolHooks = {}): Required<ToolHooks> {
  const running = new WeakMap<object, (call: ToolAfterHookContext) => Promise<void>>();

  async function decide({ toolName: tool, input: raw, context: given }: ToolHookContext) {
    const context = given as CallContext;
    const known = readingsOf(guard).get(tool) ?? [];
    const reading = known.find((one) => Array.isArray(readRaw(raw, one, tool))) ?? known[0];
    const read = readRaw(raw, reading ?? {}, tool);
    let output: unknown = read;
    for (const { input, again } of Array.isArray(read) ? read : []) {
      const call = { tool, input, ...factsOf(context) };
      // A guarded tool comes for its decision soon. Of any other the end is seen here, however late.
      const verdict = await (reading ? guard.decide(call) : guard.open(call));
      if (verdict.status === "allowed" || verdict.status === "open") {
        const outcomeOf = watch(context);
        const end = verdict.status === "open" ? verdict.end : verdict.ended;
        // After a wrong guess the guarded tool has decided for itself; its denial says so too.
        const decidedAnew = (out: unknown) => reading && (again !== reading.again || isDenied(out));
        running.set(context, (seen) => end(decidedAnew(seen.output) ? "not_run" : outcomeOf(seen)));
        return undefined;
      }
      const { code, message } = verdict;
      // Mastra's own tools turn their results into text for the model, and know texts only.
      output = /^(agent-|mastra_)/.test(tool) ? message : { error: true, code, message };
      if (code === "authority_unavailable") break;
    }
    return { proceed: false, output } as const;
  }

  const hooks: Required<ToolHooks> = {
    beforeToolCall: async (call) => {
      const answer = await theirs.beforeToolCall?.(call);
      return answer?.proceed === false ? answer : decide(call);
    },
    afterToolCall: async (call) => {
      const end = running.get(call.context as object);
      await end?.(call).catch(() => undefined);
      await theirs.afterToolCall?.(call);
    },
  };
  return brandGuarded(hooks, guard);
}
