import { AgentKeysError, brandGuarded, copyWith, type Guard, isGuarded } from "@agentkeys/core";
import { isOwn } from "@agentkeys/core";
import { attachClientToolSearchExecutor, getClientToolSearchExecutor } from "@openai/agents-core";
import { prepareFunctionToolInput } from "@openai/agents-core/utils/internal";
import { guardLocal } from "./guard-local.ts";
import { guardedInvoke } from "./guarded-invoke.ts";
import { decidingApproval } from "./needs-approval.ts";
import type { AnyTool } from "./sdk-tool.ts";

export function guardTool(guard: Guard, tool: AnyTool): AnyTool {
  const search = getClientToolSearchExecutor(tool);
  if (tool.type === "hosted_tool" && search) return guardSearch(guard, { tool, search });
  if (tool.type !== "function") return guardLocal(guard, tool);
  if (isOwn(tool.invoke) || isGuarded(tool.invoke)) return tool;
  // What is decided on must be what runs, and only who made a tool knows how it reads its input.
  if (prepareFunctionToolInput(tool, "") === undefined) {
    const problem = "was not made by tool() of this copy of @openai/agents-core";
    throw new AgentKeysError("config_invalid", `${tool.name} ${problem}`);
  }
  const needsApproval = decidingApproval(guard, {
    name: tool.name,
    read: (raw) => {
      const result = prepareFunctionToolInput(tool, JSON.stringify(raw))?.result;
      return result?.success === true ? result : undefined;
    },
    needsApproval: (context, value, callId) => tool.needsApproval(context, value, callId),
  });
  return copyWith(tool, { needsApproval, invoke: guardedInvoke(guard, tool) });
}

interface Search {
  readonly tool: Extract<AnyTool, { type: "hosted_tool" }>;
  readonly search: NonNullable<ReturnType<typeof getClientToolSearchExecutor>>;
}

/** A search for tools by the program itself: whatever it finds is guarded, and given to the run as it is found. */
function guardSearch(guard: Guard, { tool, search }: Search): AnyTool {
  if (isGuarded(tool)) return tool;
  const guarded = attachClientToolSearchExecutor(copyWith(tool, {}), async (given) => {
    const found = await search(given);
    return [found ?? []].flat().map((each) => guardTool(guard, each));
  });
  return brandGuarded(guarded, guard);
}
