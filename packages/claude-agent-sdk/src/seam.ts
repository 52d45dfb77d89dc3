import type { CanUseTool } from "@anthropic-ai/claude-agent-sdk";
import type { Guard, GuardCall, Outcome } from "@agentkeys/core";
import { guardedTool } from "./guard-tools.ts";

export interface ToolCall extends GuardCall {
  callId: string;
  /** Where its MCP server comes from; one of this process is `sdk`. */
  source?: string | undefined;
}

/** A decision on one input of a call. */
interface Decided {
  json: string;
  runKey: string | undefined;
  record: (outcome: Outcome) => Promise<void>;
}

export type Seam = ReturnType<typeof createSeam>;

/** What hooks and permissions of one configuration share: the calls that may run and have not ended. `run`: aborts with its runs. */
export function createSeam(guard: Guard, run?: AbortSignal) {
  const open = new Map<string, readonly Decided[]>();
  const decisionsOn = (callId: string) => open.get(callId) ?? [];
  const decisionOn = (callId: string, input: unknown) =>
    decisionsOn(callId).findLast(({ json }) => json === JSON.stringify(input));

  /** The text of a denial, or undefined: the intent is durable and the call may run. Never rejects. */
  async function decide({ source = "sdk", ...given }: ToolCall): Promise<string | undefined> {
    const { tool, input, callId, runKey, signal = run } = given;
    // A process that is killed does not tell its hooks.
    const call = { ...given, signal: signal && AbortSignal.any([signal, run ?? signal]) };
    const itself = source === "sdk" ? guardedTool(guard, tool) : undefined;
    try {
      // What its function will be given: the object comes to the same, and takes this decision over.
      const read = await itself?.inputSchema.safeParseAsync(input);
      if (read?.success === false) return `Invalid arguments of ${tool}: ${read.error.message}`;
      const asked = read === undefined ? call : { ...call, input: read.data };
      const verdict = await (itself ? guard.decide(asked, { wait: true }) : guard.open(asked));
      if ("message" in verdict) return verdict.message;
      const record = verdict.status === "open" ? verdict.end : verdict.ended;
      open.set(callId, [...decisionsOn(callId), { json: JSON.stringify(input), runKey, record }]);
      return undefined;
    } catch {
      return (await guard.refuse(call, "unreadable_input", "the tool's schema threw")).message;
    }
  }

  /** Records how a call ended. Of several inputs that were decided on, `input` ran, or else the last. */
  async function end(callId: string, outcome: Outcome, input?: unknown): Promise<void> {
    const decided = decisionsOn(callId);
    const ran = decisionOn(callId, input) ?? decided.at(-1);
    open.delete(callId);
    await Promise.all(decided.map((each) => each.record(each === ran ? outcome : "not_run")));
  }

  /** Whatever has not ended, of one session or of every. */
  async function abort(session?: string): Promise<void> {
    const left = [...open].filter(([, [first]]) => (session ?? first?.runKey) === first?.runKey);
    await Promise.all(left.map(([callId]) => end(callId, "aborted")));
  }

  return { guard, decide, end, abort, decisionsOn, decisionOn };
}

/** The same handler; where it lets something pass that was not decided on, that is decided. */
export function holding(seam: Seam, canUseTool: CanUseTool): CanUseTool {
  return async (tool, given, options) => {
    const answer = await canUseTool(tool, given, options);
    if (answer?.behavior !== "allow") return answer;
    const { updatedInput: input = given } = answer;
    const { toolUseID: callId, signal, mcpServer: { source } = {} } = options;
    if (seam.decisionOn(callId, input)) return answer;
    const runKey = seam.decisionsOn(callId)[0]?.runKey;
    const message = await seam.decide({ tool, input, callId, runKey, signal, source });
    return message === undefined ? answer : { behavior: "deny", message };
  };
}
