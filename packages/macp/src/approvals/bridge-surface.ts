import type { Approval } from "@agentkeys/contract";
import type { MacpClient } from "../client/client.ts";
import type { Log } from "../client/log.ts";
import type { ApprovalOperator, Grounds } from "./operator.ts";
import type { Tally } from "./tally.ts";
import type { VoteMode } from "./vote.ts";

/** Votes on one approval: what the approvers are to be told of. */
export interface Poll {
  readonly approval: Approval;
  readonly sessionId: string;
  readonly approvers: readonly string[];
}

export interface ApprovalBridgeOptions {
  /** Opens the sessions, in its own name. Its runtime says who cast a ballot, so it must authenticate the approvers. */
  client: MacpClient;
  /** With the operator's token. */
  operator: ApprovalOperator;
  /** What the approvers vote in. In a decision a critical objection of one of them is a veto. Default: quorum. */
  mode?: VoteMode | undefined;
  /** Called when a session is open and the question is in it, before anybody has voted. Must not throw. */
  onPoll?: ((poll: Poll) => void) | undefined;
  /** Takes a line for each approval whose vote in `run` came to nothing. Default: none. */
  log?: Log | undefined;
}

/** What the approvers decided, and the authority wrote down. */
export interface JointDecision {
  readonly status: "approved" | "denied";
  readonly approval: Approval;
  readonly tally: Tally;
  readonly evidence: Grounds["evidence"];
}

export interface ApprovalBridge {
  /**
   * Has the approvers decide on this approval, once. Rejects, with nothing decided, when the session ends otherwise (`conflict`),
   * the approval waits no more, or the signal aborts. An authority that cannot be reached at the end (`authority_unavailable`) may
   * have written the decision down all the same.
   */
  decide(
    approval: Approval,
    options?: { signal?: AbortSignal | undefined },
  ): Promise<JointDecision>;
  /** Does so for every approval that names a quorum, until the signal aborts. Rejects when the operator's feed does. */
  run(options?: { signal?: AbortSignal | undefined }): Promise<void>;
}
