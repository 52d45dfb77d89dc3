import { z } from "zod";

/** A whole number that fits an unsigned 32-bit field. */
const count = z.int().min(0).max(0xffff_ffff);

/** Who may commit, cancel, suspend and resume. */
export const commitmentRules = z
  .object({
    authority: z.string().default("initiator_only"),
    designated_roles: z.array(z.string()).default([]),
    require_vote_quorum: z.boolean().default(false),
    allow_decline_over_approval: z.boolean().default(false),
  })
  .prefault({});

export const decisionRules = z.object({
  voting: z
    .object({
      algorithm: z.string().default("none"),
      threshold: z.number().default(0.5),
      quorum: z
        .object({ type: z.string().default("count"), value: z.number().default(0) })
        .prefault({}),
      weights: z.record(z.string(), z.number()).default({}),
    })
    .prefault({}),
  objection_handling: z
    .object({
      critical_severity_vetoes: z.boolean().default(false),
      veto_threshold: count.default(1),
      critical_objection_action: z.enum(["deny", "finalize_decline", "hold"]).default("deny"),
    })
    .prefault({}),
  evaluation: z
    .object({
      minimum_confidence: z.number().default(0),
      required_before_voting: z.boolean().default(false),
    })
    .prefault({}),
  commitment: commitmentRules,
});

export const quorumRules = z.object({
  threshold: z
    .object({ type: z.string().default("n_of_m"), value: z.number().default(0) })
    .prefault({}),
  abstention: z
    .object({
      counts_toward_quorum: z.boolean().default(false),
      interpretation: z.string().default("neutral"),
    })
    .prefault({}),
  commitment: commitmentRules,
});

export const proposalRules = z.object({
  acceptance: z.object({ criterion: z.string().default("all_parties") }).prefault({}),
  /** 0: no limit. */
  counter_proposal: z.object({ max_rounds: count.default(0) }).prefault({}),
  rejection: z.object({ terminal_on_any_reject: z.boolean().default(false) }).prefault({}),
  commitment: commitmentRules,
});

export const taskRules = z.object({
  assignment: z.object({ allow_reassignment_on_reject: z.boolean().default(false) }).prefault({}),
  completion: z.object({ require_output: z.boolean().default(false) }).prefault({}),
  commitment: commitmentRules,
});

export const handoffRules = z.object({
  /** Milliseconds; 0: never. */
  acceptance: z.object({ implicit_accept_timeout_ms: z.int().min(0).default(0) }).prefault({}),
  commitment: commitmentRules,
});

export type CommitmentRules = z.output<typeof commitmentRules>;
export type DecisionRules = z.output<typeof decisionRules>;
export type QuorumRules = z.output<typeof quorumRules>;
export type ProposalRules = z.output<typeof proposalRules>;
export type TaskRules = z.output<typeof taskRules>;
export type HandoffRules = z.output<typeof handoffRules>;
