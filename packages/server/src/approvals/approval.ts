import { randomBytes } from "node:crypto";
import {
  AgentKeysError,
  type Approval,
  approvalDigest,
  type JsonValue,
  stringifyJson,
  textDigest,
  type WireValue,
} from "@agentkeys/contract";
import type { Fields } from "../rpc/fields.ts";
import { unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import type { ApprovalRow, NewApproval } from "./approval-store.ts";
import { defaultText, readable } from "./approval-text.ts";

/** Bytes of JSON text that are kept: of the facts and of an input, for the person who decides; of a result, for the same call met again. */
export const KEPT_LIMIT = 256 << 10;

/** What is asked, before it has an id and a time. */
export interface Asked extends Pick<
  ApprovalRow,
  | "kind"
  | "call"
  | "actor"
  | "operator_omni"
  | "tool"
  | "scope"
  | "call_id"
  | "run_key"
  | "input_digest"
  | "begin_id"
  | "uncertain"
  | "reason"
  | "explanation"
> {
  readonly params: Fields;
  readonly clear: Fields | undefined;
  readonly describe: string | undefined;
  readonly input: WireValue | undefined;
}

/** A pending approval, sealed and digested, ready to be written. */
export async function toApproval(services: Services, asked: Asked): Promise<NewApproval> {
  const { params, clear, describe, input, ...what } = asked;
  const id = `apr_${randomBytes(12).toString("hex")}`;
  const created_at = unixNow(services);
  // A person who reads nothing would say yes to anything.
  const told = describe?.trim() ? describe : defaultText({ ...what, params, clear });
  const text = readable(told);
  const bound = {
    ...what,
    id,
    text_digest: textDigest(text),
    policy_version: services.policyVersion(what.actor),
    quorum: what.kind === "guard" ? services.quorum(what.actor, what.scope) : undefined,
    expires_at: created_at + services.settings.approvals.ttl_seconds,
  };
  const address = { owner: what.actor, name: id } as const;
  const { quorum, ...row } = bound;
  const facts = { text, params, ...(clear && { clear }), ...(quorum && { quorum: { ...quorum } }) };
  const shown = stringifyJson(facts);
  if (Buffer.byteLength(shown) > KEPT_LIMIT)
    throw new AgentKeysError(
      "invalid_params",
      "params and clear are too long for a person to read",
    );
  const inputText = input === undefined ? undefined : stringifyJson(input);
  const kept = inputText !== undefined && Buffer.byteLength(inputText) <= KEPT_LIMIT;
  return {
    ...row,
    digest: approvalDigest(bound),
    created_at,
    shown: await services.vault.seal(shown, { ...address, kind: "approval" }),
    input: kept
      ? await services.vault.seal(inputText, { ...address, kind: "approval-input" })
      : undefined,
    status: "pending",
    decided: undefined,
    executed: undefined,
  };
}

type Shown = Pick<Approval, "text" | "params" | "clear" | "quorum">;

/** What of an approval is sealed at rest. */
export async function shownIn(
  { vault }: Services,
  { id, actor, shown }: Pick<ApprovalRow, "id" | "actor" | "shown">,
): Promise<Shown> {
  const opened = await vault.open(shown, { owner: actor, name: id, kind: "approval" });
  return JSON.parse(opened) as Shown;
}

/** The wire's form. The input is for the operator's eyes only, and only as long as it may be decided. */
export async function shownTo(
  services: Services,
  reader: "operator" | "actor",
  row: Omit<ApprovalRow, "changed" | "intent">,
): Promise<Approval> {
  const { id, kind, actor, operator_omni, tool, scope, call_id, run_key, input_digest } = row;
  const { text_digest, digest, policy_version, reason, explanation, status } = row;
  const { created_at, expires_at, decided, executed } = row;
  const address = { owner: actor, name: id } as const;
  const { text, params, clear, quorum } = await shownIn(services, row);
  const input =
    row.input === undefined || reader === "actor" || status !== "pending"
      ? undefined
      : await services.vault.open(row.input, { ...address, kind: "approval-input" });
  return {
    id,
    kind,
    actor,
    operator_omni,
    tool,
    scope,
    params,
    ...(clear === undefined ? {} : { clear }),
    ...(input === undefined ? {} : { input: JSON.parse(input) as JsonValue }),
    call_id,
    ...(run_key === undefined ? {} : { run_key }),
    input_digest,
    text,
    text_digest,
    digest,
    policy_version,
    ...(quorum === undefined ? {} : { quorum }),
    reason,
    explanation,
    status,
    created_at,
    expires_at,
    ...(decided === undefined ? {} : { decided }),
    ...(executed === undefined ? {} : { executed_at: executed.at }),
  };
}
