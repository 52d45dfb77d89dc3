import type { Accepted } from "../client/session-info.ts";
import { createDecisionProjection, type DecisionProjection } from "../projections/decision.ts";
import type { Recommendation, Severity, Vote } from "../protocol/constants.ts";
import type { ModeDefinition } from "./mode-session.ts";
import type { SendOptions, Session } from "./session-surface.ts";
import {
  type AnyCase,
  filled,
  toBytes,
  toConfidence,
  toRecommendation,
  toSeverity,
  toVote,
} from "./words.ts";

export interface ProposeOptions extends SendOptions {
  rationale?: string;
  supportingData?: Uint8Array | string;
}

export interface EvaluateOptions extends SendOptions {
  /** 0 to 1. Default: 1. */
  confidence?: number;
  reason?: string;
}

export interface ObjectionOptions extends SendOptions {
  /** A critical one can be a veto, where the policy says so. Default: medium. */
  severity?: AnyCase<Severity>;
  reason?: string;
}

export interface ReasonOptions extends SendOptions {
  reason?: string;
}

export interface DecisionVerbs {
  /** Until the first vote. */
  propose(proposalId: string, option: string, options?: ProposeOptions): Promise<Accepted>;
  /** Until the first vote. */
  evaluate(
    proposalId: string,
    recommendation: AnyCase<Recommendation>,
    options?: EvaluateOptions,
  ): Promise<Accepted>;
  /** Until the first vote. */
  raiseObjection(proposalId: string, options?: ObjectionOptions): Promise<Accepted>;
  /** Once per voter and proposal. */
  vote(proposalId: string, vote: AnyCase<Vote>, options?: ReasonOptions): Promise<Accepted>;
}

export type DecisionSession = Session<"decision", DecisionProjection> & DecisionVerbs;

export const decisionMode: ModeDefinition<"decision", DecisionProjection, DecisionVerbs> = {
  key: "decision",
  project: createDecisionProjection,
  verbs: ({ send }) => ({
    async propose(proposalId, option, { rationale = "", supportingData = "", ...options } = {}) {
      filled({ proposalId, option });
      const data = toBytes(supportingData);
      return send("Proposal", { proposalId, option, rationale, supportingData: data }, options);
    },
    async evaluate(proposalId, word, { confidence = 1, reason = "", ...options } = {}) {
      const recommendation = toRecommendation(word);
      const payload = { proposalId, recommendation, confidence: toConfidence(confidence), reason };
      return send("Evaluation", payload, options);
    },
    async raiseObjection(proposalId, { severity = "medium", reason = "", ...options } = {}) {
      return send("Objection", { proposalId, severity: toSeverity(severity), reason }, options);
    },
    async vote(proposalId, word, { reason = "", ...options } = {}) {
      return send("Vote", { proposalId, vote: toVote(word), reason }, options);
    },
  }),
};
