import { decisionMode, type DecisionSession } from "./decision.ts";
import { createEndings } from "./endings.ts";
import { handoffMode, type HandoffSession } from "./handoff.ts";
import { createSessionMode, type SessionMode } from "./mode-session.ts";
import { multiRoundMode, type MultiRoundSession } from "./multi-round.ts";
import { proposalMode, type ProposalSession } from "./proposal.ts";
import { quorumMode, type QuorumSession } from "./quorum.ts";
import type { SessionHost } from "./session-host.ts";
import { taskMode, type TaskSession } from "./task.ts";

/** A session of any mode; its `key` tells which. */
export type AnySession =
  | DecisionSession
  | ProposalSession
  | TaskSession
  | HandoffSession
  | QuorumSession
  | MultiRoundSession;

/** Sessions by mode, under the names of the mode table. */
export interface SessionModes {
  readonly decision: SessionMode<DecisionSession>;
  readonly proposal: SessionMode<ProposalSession>;
  readonly task: SessionMode<TaskSession>;
  readonly handoff: SessionMode<HandoffSession>;
  readonly quorum: SessionMode<QuorumSession>;
  readonly multiRound: SessionMode<MultiRoundSession>;
}

export function createSessionModes(host: SessionHost): SessionModes {
  const parts = { host, endings: createEndings(host) };
  return {
    decision: createSessionMode(parts, decisionMode),
    proposal: createSessionMode(parts, proposalMode),
    task: createSessionMode(parts, taskMode),
    handoff: createSessionMode(parts, handoffMode),
    quorum: createSessionMode(parts, quorumMode),
    multiRound: createSessionMode(parts, multiRoundMode),
  };
}
