import { type ApprovalRule, threadOf } from "@agentkeys/contract";
import type { ApprovalRow, KnownCall } from "./approval-store.ts";

/** Approvals that one actor may wait for at a time. */
export const PENDING_LIMIT = 256;

/** A call that the policy accepts, or would have a person asked about. Never one that it denies. */
export interface Question {
  readonly verdict: "accept" | "ask_parent";
  readonly reason: string;
  readonly explanation: string;
  readonly run_key: string | undefined;
  readonly scope: string | null;
  /** The actor's: what another one remembered is not its word. */
  readonly operator_omni: string;
  readonly input_digest: string;
  readonly policy_version: string;
  readonly begin_id: string;
  /** Asked because the client was not sure: no rule answers that. */
  readonly uncertain: boolean;
  /** People decide together on each call of this scope: no rule answers that. */
  readonly together: boolean;
  readonly idempotent: boolean;
  readonly may_ask: boolean;
  /** Unix seconds. */
  readonly now: number;
}

interface Words {
  readonly reason: string;
  readonly explanation: string;
}

/** What becomes of a call. `expired`: an approval whose time was found to have run out. */
export type Judgement = { readonly expired?: ApprovalRow | undefined } & (
  | ({ readonly do: "run"; readonly uses?: string; readonly rule?: string } & Words)
  | ({ readonly do: "refuse" } & Words)
  | { readonly do: "replay"; readonly earlier: NonNullable<KnownCall["earlier"]> }
  | { readonly do: "wait"; readonly approval: ApprovalRow }
  | { readonly do: "ask" }
  | { readonly do: "neither" }
);

/** Decides from its arguments alone. Nothing runs but what the policy accepts, a rule covers or an unused grant is for. */
export function judge(question: Question, known: KnownCall): Judgement {
  const earlier = remembered(question, known);
  const ended = earlier === undefined ? undefined : afterwards(question, earlier);
  if (ended !== undefined) return ended;
  const { verdict, reason, explanation } = question;
  return verdict === "accept" ? { do: "run", reason, explanation } : answered(question, known);
}

/** What an earlier attempt leaves to say; undefined = the call may go on, or begin anew. */
function afterwards(
  { idempotent }: Question,
  earlier: NonNullable<KnownCall["earlier"]>,
): Judgement | undefined {
  switch (earlier.outcome) {
    case "not_run":
    case "suspended":
      return undefined;
    case null:
      if (idempotent) return undefined;
      return refuse("outcome_unknown", "this very call began earlier and nobody said how it ended");
    default:
      if (earlier.result !== undefined) return { do: "replay", earlier };
      // Whether a call that failed had its effect is not known either.
      if (idempotent && earlier.outcome !== "ok") return undefined;
      return refuse("already_executed", "this very call has been executed");
  }
}

/** Without a run key it is the execution on the call's own grant, until that would expire or while it is suspended. */
function remembered({ run_key, now }: Question, known: KnownCall): KnownCall["earlier"] {
  const { earlier } = known;
  if (earlier === undefined || run_key !== undefined) return earlier;
  const { approval } = known;
  if (approval?.executed?.begin_id !== earlier.begin_id) return undefined;
  return approval.expires_at > now || earlier.outcome === "suspended" ? earlier : undefined;
}

/** By a person, now or before. */
function answered(question: Question, known: KnownCall): Judgement {
  const { approval } = known;
  if (approval === undefined || isVoid(approval, question)) return anew(question, known);
  const overdue = approval.expires_at <= question.now;
  // Without a run key a call cannot be told from a later one like it: it is a new one when the old one's time is over.
  if (overdue && question.run_key === undefined && !isContinued(approval, known)) {
    const judgement = anew(question, known);
    return approval.status === "pending" ? { ...judgement, expired: approval } : judgement;
  }
  switch (approval.status) {
    case "approved":
      return granted(approval, known, overdue);
    case "pending":
      if (overdue) return { ...refuse("approval_expired", lapsed(approval)), expired: approval };
      return byRule(question, known) ?? { do: "wait", approval };
    default:
      return refuse(`approval_${approval.status}`, decisionText(approval));
  }
}

/** A grant is for one policy and one scope. */
function isVoid(approval: ApprovalRow, { policy_version, scope }: Question): boolean {
  return approval.policy_version !== policy_version || approval.scope !== scope;
}

/** The execution that used the grant was suspended and goes on. */
function isContinued({ executed }: ApprovalRow, { earlier }: KnownCall): boolean {
  return (
    executed !== undefined &&
    earlier?.begin_id === executed.begin_id &&
    earlier.outcome === "suspended"
  );
}

function granted(approval: ApprovalRow, known: KnownCall, overdue: boolean): Judgement {
  if (known.revoked) return refuse("actor_revoked", `actor revoked: ${approval.actor}`);
  const { executed } = approval;
  // What is remembered of the attempt that used it lets it be entered again, or this line is not reached.
  if (executed !== undefined && known.earlier?.begin_id !== executed.begin_id) {
    return refuse("already_executed", "the approval of this call has been used");
  }
  if (overdue && !isContinued(approval, known)) {
    return refuse("approval_expired", lapsed(approval));
  }
  return { do: "run", reason: "approved", explanation: decisionText(approval), uses: approval.id };
}

function anew(question: Question, known: KnownCall): Judgement {
  const ruled = byRule(question, known);
  if (ruled !== undefined) return ruled;
  if (known.revoked) return refuse("actor_revoked", "the actor was revoked meanwhile");
  if (!question.may_ask) return { do: "neither" };
  if (known.pending < PENDING_LIMIT) return { do: "ask" };
  const explanation = `${known.pending} approvals of this actor wait for an answer`;
  return refuse("too_many_pending_approvals", explanation);
}

function byRule(question: Question, known: KnownCall): Judgement | undefined {
  if (question.uncertain || question.together || known.revoked) return undefined;
  const rule = known.rules.find((candidate) => covers(candidate, question));
  if (rule === undefined) return undefined;
  const until = timeText(rule.expires_at);
  const explanation = `remembered until ${until}: ${who(rule)} approved this ${rule.match} (${rule.id})`;
  return { do: "run", reason: "remembered", explanation, rule: rule.id };
}

/** The rule is for the actor and the tool already. */
function covers(
  rule: ApprovalRule,
  question: Pick<Question, "scope" | "operator_omni" | "run_key" | "input_digest" | "now">,
): boolean {
  const { run_key, scope, operator_omni, input_digest, now } = question;
  if (rule.revoked_at !== undefined || rule.expires_at <= now) return false;
  if (rule.scope !== scope || rule.operator_omni !== operator_omni) return false;
  if (rule.match === "input" && rule.input_digest !== input_digest) return false;
  return rule.for === "actor" || (run_key !== undefined && rule.thread === threadOf(run_key));
}

function refuse(reason: string, explanation: string): Judgement & { do: "refuse" } {
  return { do: "refuse", reason, explanation };
}

function lapsed({ id, expires_at }: ApprovalRow): string {
  return `approval ${id} expired at ${timeText(expires_at)}`;
}

/** By whom, when and why. */
export function decisionText({ id, status, decided }: ApprovalRow): string {
  if (decided === undefined) return `approval ${id} is ${status}`;
  const { approver, at, reason } = decided;
  const by = approver === null ? "" : ` by ${who({ approver, by: decided.by })}`;
  return `approval ${id} was ${status}${by} at ${timeText(at)}${reason === "" ? "" : `: ${reason}`}`;
}

function who({ approver, by }: { approver: string; by?: string | undefined }): string {
  return by === undefined ? approver : `${by} (${approver})`;
}

function timeText(seconds: number): string {
  return `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}
