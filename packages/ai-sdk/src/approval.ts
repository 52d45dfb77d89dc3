import { brandGuarded, currentCall, isGuardedBy, isOwn } from "@agentkeys/core";
import type { Denial, Guard, GuardCall } from "@agentkeys/core";
import type { ModelMessage, ToolApprovalStatus, ToolSet } from "ai";
import { signals } from "./guard-tools.ts";
import { callsAnswered, runKeyOf } from "./resume.ts";

/** What the loop tells `toolApproval` of one call. */
export interface ApprovalRequest {
  toolCall: { toolName: string; toolCallId: string; input: unknown; providerExecuted?: boolean };
  tools: ToolSet | undefined;
  toolsContext: unknown;
  messages: ModelMessage[];
  runtimeContext: unknown;
}

/** Fits `toolApproval` of any agent, whatever its tools. */
export type Approval = (request: ApprovalRequest) => Promise<ToolApprovalStatus>;

/**
 * The agent-level seam: `toolApproval: agentKeysApproval(guard)`. Decides each call before its step runs, suspends the run
 * where a person is asked, and refuses local tools that are not guarded. What the guard allows is still up to the
 * agent's own `toolApproval`, when it is given here, or else to the tool's `needsApproval`. Never throws.
 */
export function agentKeysApproval(guard: Guard, toolApproval?: object): Approval {
  if (isGuardedBy(toolApproval, guard)) return toolApproval as Approval;

  const theirs = (request: ApprovalRequest) =>
    sdkStatus(toolApproval, request).catch(async (error: unknown) => {
      const name = error instanceof Error ? error.name : typeof error;
      return denied(await guard.refuse(callOf(request), "approval_failed", `threw ${name}`));
    });

  return brandGuarded(async (request: ApprovalRequest) => {
    const { toolCall, messages } = request;
    const { execute, needsApproval } = toolOf(request) ?? {};
    if (toolCall.providerExecuted === true || isOwn(execute)) return theirs(request);
    const call = callOf(request);
    const resumed = callsAnswered(messages, true).some((one) => one.toolCallId === call.callId);
    // Nobody resumes a run inside of a guarded call.
    const nested = currentCall() !== undefined;
    const verdict =
      execute === undefined || isGuardedBy(execute, guard)
        ? await guard.decide(call, { step: messages, resumed, wait: nested })
        : await guard.refuse(call, "unguarded_tool", `wrap it with guardTools: ${call.tool}`);
    if (verdict.status !== "allowed") {
      const { approval } = verdict;
      if (approval === undefined || nested) return denied(verdict);
      return { type: "user-approval", reason: approval.text };
    }
    const asksToo = toolApproval !== undefined || needsApproval !== undefined;
    const status = asksToo ? await theirs(request) : undefined;
    const type = typeof status === "object" ? status.type : status;
    // A resumed loop runs what its client approved. The object finds the decision by the call's id.
    const runs = type !== "denied" && (resumed || type !== "user-approval");
    if (!runs || execute === undefined || call.callId === "") await verdict.ended("not_run");
    return status;
  }, guard);
}

/**
 * What the SDK would answer if there were no guard: by the agent's `toolApproval` (a function, or an entry per
 * tool), else by the tool's `needsApproval`, which any `toolApproval` function switches off.
 */
async function sdkStatus(toolApproval: unknown, request: ApprovalRequest) {
  if (typeof toolApproval === "function") return (toolApproval as Approval)(request);
  const { toolCall, toolsContext, messages, runtimeContext } = request;
  const { toolName, toolCallId, input } = toolCall;
  const entry = ownProperty(toolApproval, toolName) ?? undefined;
  const asked = entry ?? toolOf(request)?.needsApproval;
  const context = ownProperty(toolsContext, toolName);
  // An entry finds its tool's context under one name, `needsApproval` under the other.
  const options = { toolCallId, messages, runtimeContext, context, toolContext: context };
  const answer: unknown = typeof asked === "function" ? await asked(input, options) : asked;
  if (entry !== undefined) return answer as ToolApprovalStatus;
  return answer ? "user-approval" : undefined;
}

const denied = ({ message }: Denial): ToolApprovalStatus => ({ type: "denied", reason: message });

function callOf({ toolCall, messages, runtimeContext }: ApprovalRequest): GuardCall {
  const { toolName: tool, toolCallId: callId, input } = toolCall;
  return { tool, input, callId, runKey: runKeyOf(runtimeContext), signal: signals.get(messages) };
}

function toolOf({ tools, toolCall }: ApprovalRequest): ToolSet[string] | undefined {
  return ownProperty(tools, toolCall.toolName) as ToolSet[string] | undefined;
}

/** Names come from the model, and `constructor` is no tool. */
function ownProperty(object: unknown, key: string): unknown {
  const owner = Object(object) as Record<string, unknown>;
  return Object.hasOwn(owner, key) ? owner[key] : undefined;
}
