import { randomBytes } from "node:crypto";
import {
  type ApprovalDecision,
  type ApprovalRule,
  type AuditEnvelope,
  threadOf,
  type WireObject,
} from "@agentkeys/contract";
import { kind, notPermitted, success, toEnvelope, unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import type { ApprovalChange, ApprovalRow } from "./approval-store.ts";

type About = Pick<ApprovalRow, "id" | "actor" | "operator_omni" | "tool" | "digest" | "intent">;
type Outcome = ApprovalDecision["outcome"] | "requested" | "remembered" | "rule_revoked";

/** The record of what became of an approval or of a rule. */
export function approvalRecord(
  services: Services,
  approval: Omit<About, "digest" | "intent"> & Partial<About>,
  told: { outcome: Outcome; approver: string | null } & WireObject,
): AuditEnvelope {
  const { outcome, approver, ...more } = told;
  const { id, actor, operator_omni: operator, tool, digest, intent } = approval;
  const allowed = outcome !== "denied" && outcome !== "withdrawn" && outcome !== "expired";
  return toEnvelope(services, {
    actor,
    operator,
    op_kind: kind.approval,
    op_body: {
      tool,
      outcome,
      approval: id,
      approver,
      ...(digest === undefined ? {} : { digest }),
      ...(intent === undefined ? {} : { intent }),
      ...more,
    },
    result: allowed ? success : notPermitted,
  });
}

/** Ends an approval's wait, or voids its grant. */
export function changeOf(
  services: Services,
  approval: ApprovalRow,
  decision: Omit<ApprovalDecision, "at">,
): ApprovalChange {
  const at = unixNow(services);
  const { outcome, approver, by, reason, evidence, remember } = decision;
  const record = approvalRecord(services, approval, {
    outcome,
    approver,
    reason,
    ...(by === undefined ? {} : { by }),
    ...(evidence === undefined ? {} : { evidence }),
  });
  const decided = { ...decision, at };
  if (remember === undefined) return { status: outcome, decided, record };
  const rule = toRule(approval, decided, remember);
  const told = { outcome: "remembered", approver: rule.approver, rule: rule.id } as const;
  const { match, for: holds, expires_at } = rule;
  const remembered = approvalRecord(services, approval, {
    ...told,
    reason,
    match,
    for: holds,
    expires_at,
  });
  return { status: outcome, decided, record, rule: { rule, record: remembered } };
}

/** Its time has run out. */
export function expiry(services: Services, approval: ApprovalRow): ApprovalChange {
  return changeOf(services, approval, { outcome: "expired", approver: null, reason: "" });
}

/** Its actor was revoked. */
export function revocation(services: Services, approver: string) {
  return (approval: ApprovalRow): ApprovalChange =>
    changeOf(services, approval, { outcome: "denied", approver, reason: "actor_revoked" });
}

function toRule(
  approval: ApprovalRow,
  decided: ApprovalDecision,
  remember: NonNullable<ApprovalDecision["remember"]>,
): ApprovalRule {
  const { actor, operator_omni, tool, scope, input_digest, run_key } = approval;
  const { match, for: holds, ttl_seconds } = remember;
  return {
    id: `rule_${randomBytes(12).toString("hex")}`,
    actor,
    operator_omni,
    tool,
    scope,
    match,
    for: holds,
    ...(match === "input" ? { input_digest } : {}),
    ...(holds === "thread" ? { thread: threadOf(run_key ?? "") } : {}),
    approval: approval.id,
    approver: decided.approver ?? "",
    ...(decided.by === undefined ? {} : { by: decided.by }),
    reason: decided.reason,
    created_at: decided.at,
    expires_at: decided.at + ttl_seconds,
  };
}
