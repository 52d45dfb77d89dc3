import { brandGuarded, isGuardedBy, isOwn } from "@agentkeys/core";
import type { Allowed, Denial, Guard } from "@agentkeys/core";
import type { ModelMessage, ToolApprovalStatus, ToolSet } from "ai";
import { signals } from "./guard-tools.ts";

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
 * The agent-level seam: `toolApproval: agentKeysApproval(guard)`. Decides each call before its step runs, and
 * refuses local tools that are not guarded. What the guard allows is still up to the agent's own `toolApproval`,
 * when it is given here, or else to the tool's `needsApproval`. Never throws.
 */
export function agentKeysApproval(guard: Guard, toolApproval?: object): Approval {
  if (isGuardedBy(toolApproval, guard)) return toolApproval as Approval;
  const decide = inTurn((request) => decideOn(guard, request));

  return brandGuarded(async (request: ApprovalRequest) => {
    const ours = request.toolCall.providerExecuted !== true && !isOwn(toolOf(request)?.execute);
    const verdict = ours ? await decide(request) : undefined;
    if (verdict !== undefined && verdict.status !== "allowed") return denied(verdict);
    const status = await sdkStatus(toolApproval, request).catch(async (error: unknown) => {
      const name = error instanceof Error ? error.name : typeof error;
      return denied(await guard.refuse(callOf(request), "approval_failed", `threw ${name}`));
    });
    if (!runsNow(status, request)) await verdict?.ended("not_run");
    return status;
  }, guard);
}

/**
 * The loop asks about a step's calls one after another, and starts none before the last answer. Whoever finds the
 * authority unreachable answers for the rest of the step, so that a hanging one costs one deadline and not N.
 */
function inTurn(decide: (request: ApprovalRequest) => Promise<Allowed | Denial>): typeof decide {
  const steps = new WeakMap<object, { answered: Map<string, number>; down?: Denial }>();

  return async (request) => {
    const { toolCallId } = request.toolCall;
    let step = steps.get(request.messages);
    const last = step?.answered.get(toolCallId) ?? Infinity;
    // Models repeat ids. One that comes a second later is of another pass over an array that was sent twice.
    if (step === undefined || performance.now() - last > 1000) step = { answered: new Map() };
    steps.set(request.messages, step);
    const verdict = step.down ?? (await decide(request));
    if ("code" in verdict && verdict.code === "authority_unavailable") step.down = verdict;
    step.answered.set(toolCallId, performance.now());
    return verdict;
  };
}

/** What runs here unguarded would leave no outcome, so the seam does not let it run. */
function decideOn(guard: Guard, request: ApprovalRequest): Promise<Allowed | Denial> {
  const execute: unknown = toolOf(request)?.execute;
  const call = callOf(request);
  if (execute === undefined || isGuardedBy(execute, guard)) return guard.decide(call);
  return guard.refuse(call, "unguarded_tool", `wrap it with guardTools: ${call.tool}`);
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

/** Whether the object comes for the decision: on resuming, the loop asks about calls that a person approved. */
function runsNow(status: ToolApprovalStatus, request: ApprovalRequest): boolean {
  const type = typeof status === "string" ? status : status?.type;
  if (toolOf(request)?.execute === undefined || type === "denied") return false;
  if (request.toolCall.toolCallId === "") return false; // nothing to find the decision by
  const last = request.messages.at(-1);
  const resumed =
    last?.role === "tool" && last.content.some((part) => part.type === "tool-approval-response");
  return resumed || type !== "user-approval";
}

const denied = ({ message }: Denial): ToolApprovalStatus => ({ type: "denied", reason: message });

function callOf({ toolCall, messages }: ApprovalRequest) {
  const { toolName, toolCallId, input } = toolCall;
  return { tool: toolName, input, callId: toolCallId, signal: signals.get(messages) };
}

function toolOf({ tools, toolCall }: ApprovalRequest): ToolSet[string] | undefined {
  return ownProperty(tools, toolCall.toolName) as ToolSet[string] | undefined;
}

/** Names come from the model, and `constructor` is no tool. */
function ownProperty(object: unknown, key: string): unknown {
  const owner = Object(object) as Record<string, unknown>;
  return Object.hasOwn(owner, key) ? owner[key] : undefined;
}
