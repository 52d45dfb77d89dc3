import type { Accepted } from "../client/session-info.ts";
import { createQuorumProjection, type QuorumProjection } from "../projections/quorum.ts";
import type { ReasonOptions } from "./decision.ts";
import type { ModeDefinition } from "./mode-session.ts";
import type { SendOptions, Session } from "./session-surface.ts";
import { filled, toBytes } from "./words.ts";

export interface RequestApprovalOptions extends SendOptions {
  /** 1 to the number of participants. */
  requiredApprovals: number;
  summary?: string;
  details?: Uint8Array | string;
}

export interface QuorumVerbs {
  /** The initiator's, once in a session. */
  requestApproval(
    requestId: string,
    action: string,
    options: RequestApprovalOptions,
  ): Promise<Accepted>;
  /** One ballot per participant: this or one of the next two. */
  approve(requestId: string, options?: ReasonOptions): Promise<Accepted>;
  reject(requestId: string, options?: ReasonOptions): Promise<Accepted>;
  abstain(requestId: string, options?: ReasonOptions): Promise<Accepted>;
}

export type QuorumSession = Session<"quorum", QuorumProjection> & QuorumVerbs;

export const quorumMode: ModeDefinition<"quorum", QuorumProjection, QuorumVerbs> = {
  key: "quorum",
  project: createQuorumProjection,
  verbs: ({ send }) => {
    const ballot =
      (choice: "Approve" | "Reject" | "Abstain"): QuorumVerbs["approve"] =>
      async (requestId, { reason = "", ...options } = {}) =>
        send(choice, { requestId, reason }, options);
    return {
      async requestApproval(requestId, action, { requiredApprovals, summary = "", ...rest }) {
        filled({ requestId });
        const { details = "", ...options } = rest;
        const request = { requestId, action, summary, details: toBytes(details) };
        return send("ApprovalRequest", { ...request, requiredApprovals }, options);
      },
      approve: ballot("Approve"),
      reject: ballot("Reject"),
      abstain: ballot("Abstain"),
    };
  },
};
