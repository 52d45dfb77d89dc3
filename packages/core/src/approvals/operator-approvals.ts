import { AgentKeysError, type Approval } from "@agentkeys/contract";
import type {
  ApproveOptions,
  Decided,
  DenyOptions,
  OperatorApprovals,
  OperatorFilter,
} from "./approval-surface.ts";
import { isEnvelopeHash } from "../guard/decision.ts";
import { filterFields } from "./approval-filter.ts";
import type { OperatorDoor } from "../operator/operator-door.ts";
import { isApproval, readApprovals } from "./read-approval.ts";
import { unavailable } from "../transport/unavailable.ts";

const route = "/v1/approvals";

export function createOperatorApprovals(door: OperatorDoor): OperatorApprovals {
  return Object.freeze<OperatorApprovals>({
    async list(filter = {}, call = {}) {
      return readApprovals(await door.get(route + queryOf(filter), call));
    },
    watch: ({ signal } = {}) => door.watch(`${route}/stream`, { signal }),
    approve: async (approval, options) => {
      const { remember } = options;
      const { match, ttl } = remember ?? {};
      const rule = remember && { remember: { match, for: remember.for, ttl_seconds: ttl } };
      return decide(door, { verb: "approve", approval, more: rule ?? {} }, options);
    },
    deny: async (approval, options) => decide(door, { verb: "deny", approval, more: {} }, options),
  });
}

interface Decision {
  readonly verb: "approve" | "deny";
  readonly approval: Approval | string;
  readonly more: object;
}

/** Sent once: repeating it after a lost answer would meet the first decision as somebody else's. */
async function decide(
  door: OperatorDoor,
  { verb, approval, more }: Decision,
  options: DenyOptions | ApproveOptions,
): Promise<Decided> {
  const { reason, by, evidence, signal, timeoutMs } = options;
  const { id, digest } = quoted(approval, options.digest);
  const said = { digest, reason, ...(by && { by }), ...(evidence && { evidence }), ...more };
  const at = `${route}/${encodeURIComponent(id)}/${verb}`;
  const answer = await door.post(at, said, { signal, timeoutMs, repeatable: false });
  const { approval: decided, envelope_hash } = answer;
  const status = verb === "approve" ? "approved" : "denied";
  const whole = answer["ok"] === true && isApproval(decided) && isEnvelopeHash(envelope_hash);
  if (whole && decided.id === id && decided.status === status) {
    return { ok: true, approval: decided, envelope_hash };
  }
  throw unavailable("malformed answer: not a decision");
}

/** What was read is what is decided on: an object that says something else than its digest is nobody's to approve. */
function quoted(
  approval: Approval | string,
  digest: string | undefined,
): { id: string; digest: string } {
  if (typeof approval === "string") {
    if (digest !== undefined) return { id: approval, digest };
    const problem =
      "digest: needed with an approval's id; pass the approval itself, or what was read";
    throw new AgentKeysError("invalid_params", problem);
  }
  const { id, digest: own } = approval;
  if (isApproval(approval) && (digest === undefined || digest === own)) return { id, digest: own };
  const problem = "approval: its digest is not of what it says; read it again";
  throw new AgentKeysError("conflict", problem);
}

function queryOf({ actor, after, limit, ...filter }: OperatorFilter): string {
  const query = new URLSearchParams();
  const fields = { ...filterFields(filter), actor, after, limit };
  for (const [name, value] of Object.entries(fields)) {
    if (value !== undefined) query.set(name, String(value));
  }
  return query.size === 0 ? "" : `?${query}`;
}
