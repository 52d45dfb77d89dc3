import { z } from "zod";
import type { QuorumSession } from "../sessions/quorum.ts";
import {
  commitTool,
  type CoordinationTools,
  defineCoordinationTool,
  reason,
} from "./coordination-tool.ts";
import { statusTool } from "./status-tool.ts";

const ballot = z.object({ request_id: z.string().describe("Id of the request."), reason });

const ballotTool = (verb: "approve" | "reject" | "abstain", title: string, description: string) =>
  defineCoordinationTool({
    id: `quorum.${verb}`,
    title,
    description: `${description} One ballot each: it cannot be changed.`,
    input: ballot,
    run: (session: QuorumSession, { request_id, reason: why }, options) =>
      session[verb](request_id, { reason: why, ...options }),
  });

export const quorumTools: CoordinationTools<QuorumSession> = {
  quorum_status: statusTool("quorum", ({ projection }) => {
    const { request, ballots } = projection.state;
    return {
      request: request
        ? {
            request_id: request.requestId,
            action: request.action,
            summary: request.summary,
            required_approvals: request.requiredApprovals,
          }
        : null,
      ballots: [...ballots.values()].map(({ sender, choice, reason: why }) => ({
        sender,
        choice,
        reason: why,
      })),
      approvals: projection.approvalCount(),
      commitment_due: projection.commitmentReady(),
    };
  }),
  quorum_request: defineCoordinationTool({
    id: "quorum.request",
    title: "Ask for approval",
    description: "Asks the participants to approve something. The initiator's, once in a session.",
    input: z.object({
      request_id: z.string().describe("A new id for it, short and telling."),
      action: z.string().describe("What is to be approved."),
      summary: z.string().default("").describe("What the others have to know about it."),
      required_approvals: z.int().min(1).describe("How many must approve."),
    }),
    run: (session: QuorumSession, input, options) =>
      session.requestApproval(input.request_id, input.action, {
        summary: input.summary,
        requiredApprovals: input.required_approvals,
        ...options,
      }),
  }),
  quorum_approve: ballotTool("approve", "Approve", "Approves the request."),
  quorum_reject: ballotTool("reject", "Reject", "Rejects the request."),
  quorum_abstain: ballotTool("abstain", "Abstain", "Takes part without approving or rejecting."),
  quorum_commit: commitTool(
    "quorum",
    "Ends the session, once enough have approved or no longer can.",
  ),
};
