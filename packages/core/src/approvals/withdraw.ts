import { isRecord } from "../json/is-record.ts";
import type { Sealed } from "../guard/seal-call.ts";
import type { Wire } from "../transport/wire.ts";

/** Deadline in milliseconds: whoever gives up does not wait long to say so. */
const withdrawMs = 2000;

/** Takes back an ask. Never rejects: one that stays is never answered by this call again, and expires. */
export async function withdraw(wire: Wire, approval: string): Promise<void> {
  const limits = wire.limits({ timeoutMs: withdrawMs });
  const actor = wire.identity.have("actor");
  const asked = { actor, approval };
  await wire.request("guard/withdraw", asked, { limits, repeat: true }).catch(() => {});
}

/** Has the results of a run that is over dropped. Never rejects: the authority drops them after a day all the same. */
export async function forget(wire: Wire, run_key: string): Promise<void> {
  const limits = wire.limits({ timeoutMs: withdrawMs });
  const actor = wire.identity.have("actor");
  await wire.request("guard/forget", { actor, run_key }, { limits, repeat: true }).catch(() => {});
}

/** A call, as the authority knows it. */
interface Asked {
  readonly tool: string;
  readonly call_id: string;
  readonly input_digest: string;
  readonly run_key: string | undefined;
}

/** Takes back what is still asked about this very call. Never rejects. */
export async function withdrawCall(
  wire: Wire,
  { tool, callId: call_id, runKey: run_key, input }: Sealed,
  digestOf: (json: unknown) => string,
): Promise<void> {
  if (call_id === undefined || input === undefined) return;
  try {
    await withdrawPending(wire, { tool, call_id, input_digest: digestOf(input.json), run_key });
  } catch {
    // What has no digest was never asked about.
  }
}

/** The same by the names that the authority knows. Never rejects. */
export async function withdrawPending(wire: Wire, { run_key, ...call }: Asked): Promise<void> {
  try {
    const filter = {
      actor: wire.identity.need("actor"),
      ...call,
      ...(run_key !== undefined && { run_key }),
      status: "pending",
    };
    const limits = wire.limits({ timeoutMs: withdrawMs });
    const answer = await wire.request("guard/approvals", filter, { limits, repeat: true });
    const found = isRecord(answer) ? answer["approvals"] : undefined;
    for (const approval of Array.isArray(found) ? (found as unknown[]) : []) {
      const id = isRecord(approval) ? approval["id"] : undefined;
      if (typeof id === "string") await withdraw(wire, id);
    }
  } catch {
    // It expires.
  }
}
