import { brandGuarded, copyWith, type Denial, deniedError, type Guard } from "@agentkeys/core";
import { isGuarded } from "@agentkeys/core";
import { type ApplyPatchTool, RunContext, type ShellTool } from "@openai/agents-core";
import { decidingApproval, takeLeft } from "./needs-approval.ts";
import { runSignal, startedCall } from "./runner.ts";
import { type AnyTool, runKeyOf } from "./sdk-tool.ts";
import { type Method, wrapMethods } from "./wrap-methods.ts";

type Local = Exclude<AnyTool, { type: "function" }>;

const copies = new WeakMap<Guard, WeakMap<Local, Local>>();

/**
 * Shell, editor and computer are the program's objects, whose methods the SDK calls. Always the same copy, because the SDK keeps a
 * run's computer by its tool. What the provider runs is returned as it is.
 */
export function guardLocal(guard: Guard, tool: Local): Local {
  if (isGuarded(tool)) return tool;
  const known = copies.get(guard) ?? new WeakMap<Local, Local>();
  copies.set(guard, known);
  const copy = known.get(tool) ?? guarded(guard, tool);
  known.set(tool, copy);
  return copy === tool ? tool : brandGuarded(copy, guard);
}

function guarded(guard: Guard, tool: Local): Local {
  const acting = <T extends object>(part: T): T =>
    wrapMethods(part, (method, name) =>
      // No action: the SDK gets a computer ready for a run.
      name === "initRun" ? method : deciding(guard, tool, { method, name }),
    );
  if (tool.type === "apply_patch") {
    return copyWith<ApplyPatchTool>(tool, { ...asking(guard, tool), editor: acting(tool.editor) });
  }
  if (tool.type === "computer") {
    const { computer } = tool;
    if (typeof computer === "function") {
      return copyWith(tool, { computer: async (run) => acting(await computer(run)) });
    }
    if (!("create" in computer)) return copyWith(tool, { computer: acting(computer) });
    const create: typeof computer.create = async (run) => acting(await computer.create(run));
    return copyWith(tool, { computer: copyWith(computer, { create }) });
  }
  if (tool.type !== "shell" || tool.shell === undefined) return tool;
  return copyWith<ShellTool>(tool, { ...asking(guard, tool), shell: acting(tool.shell) });
}

function asking(guard: Guard, tool: ShellTool | ApplyPatchTool) {
  const needsApproval = decidingApproval(guard, {
    name: tool.name,
    read: (value) => ({ value }),
    needsApproval: (context, value, callId) => tool.needsApproval(context, value as never, callId),
  });
  return { needsApproval };
}

/** Decides on one action, and has the guard's copy of it done. A computer's has no object for it: its input is made here. */
function deciding(
  guard: Guard,
  tool: Local,
  { method, name }: { method: Method; name: string },
): Method {
  return async (...given) => {
    const [action, ...rest] = given;
    const { context, callId } = startedCall(action) ?? { context: given.find(isContext) };
    const args = given.filter((each) => !isContext(each));
    const isComputer = tool.type === "computer";
    const input = isComputer ? { action: name, arguments: args } : action;
    const { denial, resumed } = takeLeft(context, input, callId);
    if (denial !== undefined) return refuse(tool, denial);
    const runKey = context && runKeyOf(context);
    const call = { tool: tool.name, input, callId, runKey, signal: runSignal() };
    const run = (copy: object) =>
      isComputer
        ? method(...(copy as { arguments: unknown[] }).arguments, context)
        : method(copy, ...rest);
    const ran = await guard.run(call, run, { resumed });
    return ran.status === "ran" ? ran.result : refuse(tool, ran);
  };
}

const isContext = (each: unknown): each is RunContext => each instanceof RunContext;

/** A computer's action has no answer to refuse with, and what follows it must not go on. */
function refuse({ type }: Local, denial: Denial): unknown {
  const { message } = denial;
  if (type === "apply_patch") return { status: "failed", output: message };
  if (type === "computer") throw deniedError(denial);
  return { output: [{ stdout: "", stderr: message, outcome: { type: "exit", exitCode: null } }] };
}
