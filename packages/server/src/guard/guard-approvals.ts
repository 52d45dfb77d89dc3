import { AgentKeysError } from "@agentkeys/contract";
import { type Actor, claimedActor, refuseRevoked } from "../access/admission.ts";
import { shownTo } from "../approvals/approval.ts";
import { pageOf } from "../approvals/approval-page.ts";
import { LIST_LIMIT } from "../approvals/approval-reads.ts";
import { runKeyOf } from "../approvals/call-key.ts";
import { changeOf } from "../approvals/decisions.ts";
import { expireOverdue } from "../approvals/expire.ts";
import type { Caller } from "../access/auth.ts";
import type { Fields } from "../rpc/fields.ts";
import { missing, optionalText, requiredText } from "../rpc/fields.ts";
import type { Services } from "../services.ts";

/** `guard/approvals`: the latest of the actor's own, in the order of asking. */
export async function guardApprovals(services: Services, caller: Caller, params: Fields) {
  const actor = ownActor(services, caller, params);
  refuseRevoked(services, actor);
  await expireOverdue(services);
  const filter = {
    actor: actor.id,
    call_id: optionalText(params, "call_id"),
    tool: optionalText(params, "tool"),
    input_digest: optionalText(params, "input_digest")?.toLowerCase(),
    run_key: optionalText(params, "run_key"),
    status: optionalText(params, "status"),
  };
  const after = optionalText(params, "after");
  return { approvals: await pageOf(services, "actor", { filter, after, limit: LIST_LIMIT }) };
}

/** `guard/withdraw`: the actor needs no answer any more, or will not use the one it got. Narrowing, so it may. */
export async function guardWithdraw(services: Services, caller: Caller, params: Fields) {
  const actor = ownActor(services, caller, params);
  const id = requiredText(params, "approval");
  // Not in the middle of a character.
  const reason = (optionalText(params, "reason") ?? "")
    .slice(0, 1000)
    .replace(/[\ud800-\udbff]$/, "");
  const approval = await services.store.approval(id);
  if (approval?.actor !== actor.id)
    throw new AgentKeysError("not_found", `unknown approval: ${id}`);
  const changed = await services.store.changeApproval(id, (row) => {
    const open = row.status === "pending" || row.status === "approved";
    if (!open || row.executed !== undefined) return undefined;
    const withdrawal = { outcome: "withdrawn", approver: actor.id, reason };
    return changeOf(services, row, { ...withdrawal, outcome: "withdrawn" });
  });
  const after = changed?.approval ?? approval;
  if (changed?.entry !== undefined) services.asked.changed(actor.id, after.expires_at);
  else if (after.status === "approved")
    throw new AgentKeysError("already_executed", `approval ${id} has been used`);
  return { ok: true, approval: await shownTo(services, "actor", after) };
}

/** `guard/forget`: a run has ended, and nobody will ask for its results again. */
export async function guardForget(services: Services, caller: Caller, params: Fields) {
  const actor = ownActor(services, caller, params);
  const run_key = requiredText(params, "run_key");
  const forgotten = await services.store.forgetResults(runKeyOf(actor.id, run_key));
  return { ok: true, forgotten };
}

function ownActor(services: Services, caller: Caller, params: Fields): Actor {
  const omni =
    optionalText(params, "actor") ?? services.settings.defaults.actor ?? missing("actor");
  return claimedActor(services, caller, omni);
}
