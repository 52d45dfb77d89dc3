import { AgentKeysError, type ToolSource } from "@agentkeys/contract";
import { macpErrors } from "../protocol/error-codes.ts";
import type { AnySession } from "../sessions/session-modes.ts";
import type { CoordinationTools } from "./coordination-tool.ts";
import { decisionTools } from "./decision-tools.ts";
import { handoffTools } from "./handoff-tools.ts";
import { multiRoundTools } from "./multi-round-tools.ts";
import { proposalTools } from "./proposal-tools.ts";
import { quorumTools } from "./quorum-tools.ts";
import { taskTools } from "./task-tools.ts";

/**
 * What an agent can do in one session, as a source of tools for `agentKeysTools` of any framework. The tools act as whom
 * the session was started or joined, and reach this session only. Give `only` there to offer fewer of them.
 */
export function coordinationTools(session: AnySession): ToolSource {
  switch (session.key) {
    case "decision":
      return sourceOf(session, decisionTools);
    case "proposal":
      return sourceOf(session, proposalTools);
    case "task":
      return sourceOf(session, taskTools);
    case "handoff":
      return sourceOf(session, handoffTools);
    case "quorum":
      return sourceOf(session, quorumTools);
    case "multiRound":
      return sourceOf(session, multiRoundTools);
  }
}

function sourceOf<S>(session: S, tools: CoordinationTools<S>): ToolSource {
  const rows = Object.entries(tools).map(([key, { row }]) => [key, row] as const);
  return {
    rows: Object.fromEntries(rows),
    async call(name, input, { signal } = {}) {
      const tool = Object.hasOwn(tools, name) ? tools[name] : undefined;
      if (tool === undefined) throw new AgentKeysError("tool_not_found", `tool not found: ${name}`);
      const parsed = tool.row.input.safeParse(input);
      if (parsed.success) return tool.run(session, parsed.data, { signal });
      const [issue] = parsed.error.issues;
      const where = issue?.path.join(".") || "input";
      throw new AgentKeysError(macpErrors.INVALID_ENVELOPE.code, `${where}: ${issue?.message}`);
    },
  };
}
