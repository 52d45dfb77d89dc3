import {
  AgentKeysError,
  type JsonObject,
  type Quorum,
  type Remember,
  stringifyJson,
  threadOf,
  toJsonValue,
} from "@agentkeys/contract";
import type { Operator } from "../access/auth.ts";
import type { Exchange, Route } from "../http/exchange.ts";
import { jsonReply } from "../http/exchange.ts";
import {
  type Fields,
  fieldsOf,
  isFields,
  optionalText,
  requiredText,
  unsigned,
} from "../rpc/fields.ts";
import { jsonBody } from "../rpc/mcp-route.ts";
import { asOperator, horizon } from "../access/operator.ts";
import { recordDenied, unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import { shownIn, shownTo } from "./approval.ts";
import type { ApprovalRow } from "./approval-store.ts";
import { changeOf, expiry } from "./decisions.ts";
import { decisionText } from "./judge.ts";

/** Characters of a reason and of a person's name, bytes of evidence. */
const REASON_LIMIT = 1000;
const NAME_LIMIT = 200;
const EVIDENCE_LIMIT = 4096;
/** Seconds: a year. */
const LONGEST_RULE = 31_536_000;

/** `POST /v1/approvals/:id/approve` and `/deny`: once, by the operator, who quotes the digest of what was read. */
export function decideRoute(services: Services, outcome: "approved" | "denied"): Route {
  return async (exchange, id) => {
    const operator = await asOperator(services, exchange);
    const body = jsonBody(exchange);
    if ("reply" in body) return body.reply;
    const fields = fieldsOf(body.value);
    const approval = await ownApproval(services, operator, { id, exchange });
    const { quorum } = await shownIn(services, approval);
    if (outcome === "approved") refuseVoid(services, approval);
    const said = toDecision(fields, outcome, { approval, quorum });
    const decision = { outcome, approver: operator.omni, ...said };
    const decided = await services.store.changeApproval(id, (row) => {
      if (row.status !== "pending") return undefined;
      return row.expires_at <= unixNow(services)
        ? expiry(services, row)
        : changeOf(services, row, decision);
    });
    if (decided?.entry !== undefined) {
      const { actor, expires_at } = decided.approval;
      services.asked.changed(actor, expires_at);
    }
    if (decided?.entry === undefined || decided.approval.status !== outcome) {
      throw decidedBefore(decided?.approval ?? approval);
    }
    const shown = await shownTo(services, "operator", decided.approval);
    const { envelope_hash } = decided.entry;
    return jsonReply(200, JSON.stringify({ ok: true, approval: shown, envelope_hash }));
  };
}

async function ownApproval(
  services: Services,
  operator: Operator,
  { id, exchange }: { id: string; exchange: Exchange },
): Promise<ApprovalRow> {
  const approval = await services.store.approval(id);
  const only = horizon(services, operator);
  if (approval === undefined) throw new AgentKeysError("not_found", `unknown approval: ${id}`);
  if (only === undefined || approval.operator_omni === only) return approval;
  const denied = { actor: operator.omni, operator: operator.omni, reason: "not_its_actor" };
  await recordDenied(services, { ...denied, what: `${exchange.method} ${exchange.path}` });
  throw new AgentKeysError("forbidden", `not an approval of this operator: ${id}`);
}

/** A yes to what was asked under other rules would let nothing run. */
function refuseVoid(services: Services, { id, kind, status, actor, policy_version }: ApprovalRow) {
  if (kind !== "guard" || status !== "pending") return;
  if (services.policyVersion(actor) === policy_version) return;
  const message = `the actor's rules have changed since approval ${id} was asked for: it will be asked anew`;
  throw new AgentKeysError("conflict", message);
}

/** Throws `already_decided` or `approval_expired`, naming the first decision. */
function decidedBefore(approval: ApprovalRow): AgentKeysError {
  const code = approval.status === "expired" ? "approval_expired" : "already_decided";
  const data: Record<string, unknown> = { ...approval.decided };
  return new AgentKeysError(code, decisionText(approval), { data });
}

interface About {
  readonly approval: ApprovalRow;
  readonly quorum: Quorum | undefined;
}

function toDecision(fields: Fields, outcome: string, { approval, quorum }: About) {
  const digest = requiredText(fields, "digest");
  if (digest.toLowerCase() !== approval.digest) {
    const message = `the digest is not that of approval ${approval.id}: read it again`;
    throw new AgentKeysError("conflict", message);
  }
  const reason = bounded("reason", requiredText(fields, "reason"), REASON_LIMIT);
  const by = optionalText(fields, "by");
  const evidence = evidenceOf(fields);
  const remember = rememberOf(fields, outcome, { approval, quorum });
  if (quorum !== undefined && outcome === "approved" && !isVote(evidence)) throw needsVote(quorum);
  return {
    reason,
    ...(by === undefined ? {} : { by: bounded("by", by, NAME_LIMIT) }),
    ...(evidence === undefined ? {} : { evidence }),
    ...(remember === undefined ? {} : { remember }),
  };
}

/** Where the votes are, and what was made of them. */
function isVote(evidence: JsonObject = {}): boolean {
  return [evidence["session_id"], evidence["commitment_hash"]].every(
    (field) => typeof field === "string" && field !== "",
  );
}

function needsVote({ approvers, required }: Quorum): AgentKeysError {
  const who = `${required} of ${approvers.length} approvers`;
  const message = `${who} decide on this together: evidence must name their session_id and commitment_hash`;
  return new AgentKeysError("invalid_params", message);
}

function bounded(name: string, text: string, limit: number): string {
  if (text.trim() === "") invalid(`${name} is empty`);
  return text.length <= limit ? text : invalid(`${name} has more than ${limit} characters`);
}

function evidenceOf(fields: Fields): JsonObject | undefined {
  const evidence = fields["evidence"] ?? undefined;
  if (evidence === undefined) return undefined;
  if (!isFields(evidence)) return invalid("evidence must be an object");
  if (Buffer.byteLength(stringifyJson(evidence)) > EVIDENCE_LIMIT)
    invalid(`evidence is longer than ${EVIDENCE_LIMIT} bytes`);
  return toJsonValue(evidence) as JsonObject;
}

function rememberOf(fields: Fields, outcome: string, about: About): Remember | undefined {
  const value = fields["remember"] ?? undefined;
  if (value === undefined) return undefined;
  const { approval, quorum } = about;
  const remember = fieldsOf(value);
  const match = requiredText(remember, "match", "remember.match");
  const holds = requiredText(remember, "for", "remember.for");
  const ttl_seconds = unsigned(remember["ttl_seconds"]);
  if (outcome !== "approved") invalid("remember: only an approval is remembered");
  if (approval.kind !== "guard" || approval.uncertain || quorum !== undefined)
    invalid("remember: this approval holds once");
  if (match !== "tool" && match !== "input") invalid("remember.match must be tool or input");
  if (holds !== "thread" && holds !== "actor") invalid("remember.for must be thread or actor");
  if (holds === "thread" && threadOf(approval.run_key ?? "") === "")
    invalid("remember.for: this call belongs to no thread");
  if (typeof ttl_seconds !== "number" || ttl_seconds < 1 || ttl_seconds > LONGEST_RULE)
    invalid(`remember.ttl_seconds must be a whole number from 1 to ${LONGEST_RULE}`);
  return { match, for: holds, ttl_seconds };
}

function invalid(message: string): never {
  throw new AgentKeysError("invalid_params", message);
}
