import { type AgentOptions, assertCovered, brandGuarded, isGuardedBy } from "@agentkeys/core";
import type { Guard } from "@agentkeys/core";
import type { PrepareStepFunction, ToolApprovalConfiguration, ToolSet } from "ai";
import { agentKeysApproval } from "./approval.ts";
import { guardTools } from "./guard-tools.ts";
import { agentKeysTools } from "./own-tools.ts";
import { withdrawRejected } from "./resume.ts";

// oxlint-disable-next-line typescript/no-explicit-any -- only the agent knows its runtime context's type
type Runtime = any;

/** Types the callbacks written into a configuration by its tools. */
interface Callbacks<T extends ToolSet> {
  tools?: T;
  toolApproval?: ToolApprovalConfiguration<NoInfer<T>, Runtime>;
  prepareStep?: PrepareStepFunction<NoInfer<T>, Runtime>;
}

/**
 * The whole guard for one agent: AgentKeys' tools added, its own tools guarded, `toolApproval` set (one that is there
 * already is asked about what the guard allows), rejections passed on. For ToolLoopAgent, generateText and streamText;
 * keeps the type.
 */
export function withAgentKeys<
  const C extends { model?: unknown; tools?: ToolSet },
  T extends ToolSet = {},
>(guard: Guard, config: C & Callbacks<T>, options: AgentOptions = {}): C {
  const { tools: only, strict = false } = options;
  const own = only === false ? {} : agentKeysTools(guard.client, only && { only });
  const tools: ToolSet = { ...own, ...guardTools(guard, config.tools ?? {}) };
  const theirs = config.prepareStep;
  const prepareStep: typeof theirs = async (step) => {
    if (step.stepNumber === 0) await withdrawRejected(guard, step);
    return theirs?.(step);
  };
  const { prepareCall } = config as {
    prepareCall?: (call: unknown) => Promise<object | undefined>;
  };
  const guarded = {
    ...config,
    tools,
    toolApproval: agentKeysApproval(guard, config.toolApproval),
    prepareStep: isGuardedBy(theirs, guard) ? theirs : brandGuarded(prepareStep, guard),
    // It may give one call other tools, and no seam.
    ...(prepareCall && {
      async prepareCall(call: unknown) {
        const given = await prepareCall(call);
        return given && withAgentKeys(guard, given, { tools: false, strict });
      },
    }),
  };
  if (strict) assertCovered(guard, guarded);
  return guarded;
}
