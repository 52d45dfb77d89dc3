import { AgentKeysError, brandGuarded, copyWith, isGuarded, isOwn } from "@agentkeys/core";
import type { Guard } from "@agentkeys/core";
import { prepareFunctionToolInput } from "@openai/agents-core/utils/internal";
import { guardedInvoke } from "./guarded-invoke.ts";
import { decidingApproval } from "./needs-approval.ts";
import type { AnyTool } from "./sdk-tool.ts";

export function guardTool(guard: Guard, tool: AnyTool): AnyTool {
  if (tool.type !== "function") return guardLocal(guard, tool);
  if (isOwn(tool.invoke) || isGuarded(tool.invoke)) return tool;
  // What is decided on must be what runs, and only who made a tool knows how it reads its input.
  if (prepareFunctionToolInput(tool, "") === undefined) {
    const problem = "was not made by tool() of this copy of @openai/agents-core";
    throw new AgentKeysError("config_invalid", `${tool.name} ${problem}`);
  }
  const needsApproval = decidingApproval(guard, tool);
  return copyWith(tool, { needsApproval, invoke: guardedInvoke(guard, tool) });
}

/** Shell and editor are the program's objects: their calls can be refused, but a run is not interrupted by one. */
function guardLocal(guard: Guard, tool: AnyTool): AnyTool {
  const guarded = <T extends object>(part: T): T =>
    new Proxy(part, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key);
        return typeof value === "function" ? guard.wrap(tool.name, value.bind(target)) : value;
      },
    });
  if (isGuarded(tool)) return tool;
  if (tool.type === "shell" && tool.shell !== undefined) {
    return brandGuarded(copyWith(tool, { shell: guarded(tool.shell) }), guard);
  }
  if (tool.type !== "apply_patch") return tool;
  return brandGuarded(copyWith(tool, { editor: guarded(tool.editor) }), guard);
}
