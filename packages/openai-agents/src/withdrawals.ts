import { getToolSearchRuntimeToolKey, type RunContext, type RunState } from "@openai/agents-core";
import type { AnyAgent } from "./sdk-tool.ts";

/** Of each guarded tool, by its `needsApproval`: takes back what is asked about a call. Never rejects. */
export const withdrawals = new WeakMap<
  object,
  (context: RunContext, raw: unknown, callId: string) => Promise<void>
>();

/** Takes back what was asked about the calls that the client refuses: they reach neither the tool nor what decides about it. */
export async function withdrawRefused(state: RunState<unknown, AnyAgent>): Promise<void> {
  const { _context: context } = state;
  for (const item of state.getInterruptions()) {
    const { agent, name = "", rawItem } = item;
    const callId = "callId" in rawItem ? rawItem.callId : "";
    // The SDK has a key of its own for the answers to a function tool.
    const { functionToolStateKey: toolName = name } = item.toJSON();
    if (context.isToolApproved({ toolName, callId }) !== false) continue;
    // An agent that cannot give its tools ends the run itself; what was asked then expires.
    const tools = await agent.getAllTools(context).catch(() => []);
    const tool = tools.find((each) => (getToolSearchRuntimeToolKey(each) ?? each.name) === name);
    const decided = tool && "needsApproval" in tool ? tool.needsApproval : withdrawals;
    await withdrawals.get(decided)?.(context, inputOf(rawItem), callId);
  }
}

function inputOf(item: object): unknown {
  if ("action" in item) return item.action;
  if ("operation" in item) return item.operation;
  try {
    return JSON.parse(String(Object(item)["arguments"])) as unknown;
  } catch {
    return undefined;
  }
}
