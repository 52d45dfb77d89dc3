/// <reference lib="esnext.disposable" preserve="true" />
import type { Limited, OperatorApprovals, OperatorRules } from "../approvals/approval-surface.ts";
import { isRecord } from "../json/is-record.ts";
import { createOperatorApprovals } from "../approvals/operator-approvals.ts";
import { OperatorDoor, type OperatorOptions } from "./operator-door.ts";
import { createOperatorRules } from "./operator-rules.ts";
import { unavailable } from "../transport/unavailable.ts";

export interface RevokeOptions extends Limited {
  /** Written into the record of the revocation. */
  reason: string;
}

export interface Revocation {
  ok: boolean;
  actor: string;
  /** Unix seconds. */
  revoked_at: number;
  envelope_hash: string;
}

/** What the person responsible may do, and an agent's token never can. Rejects with AgentKeysError. */
export interface Operator extends AsyncDisposable {
  readonly actors: {
    /** Refuses every later call of the actor, at once. Repeating it keeps the first time and reason. */
    revoke(actor: string, options: RevokeOptions): Promise<Revocation>;
  };
  readonly approvals: OperatorApprovals;
  readonly rules: OperatorRules;
  close(): Promise<void>;
}

export function createOperator(options: OperatorOptions = {}): Operator {
  const door = new OperatorDoor(options);
  const close = (): Promise<void> => door.close();
  return Object.freeze({
    actors: Object.freeze({
      async revoke(actor: string, { reason, ...call }: RevokeOptions): Promise<Revocation> {
        const route = `/v1/actors/${encodeURIComponent(actor)}/revoke`;
        const answer = await door.post(route, { reason }, { ...call, repeatable: true });
        if (isRevocation(answer)) return answer;
        throw unavailable("malformed answer: not a revocation");
      },
    }),
    approvals: createOperatorApprovals(door),
    rules: createOperatorRules(door),
    close,
    [Symbol.asyncDispose]: close,
  });
}

function isRevocation(answer: unknown): answer is Revocation & Record<string, unknown> {
  return (
    isRecord(answer) &&
    answer["ok"] === true &&
    typeof answer["actor"] === "string" &&
    Number.isSafeInteger(answer["revoked_at"]) &&
    typeof answer["envelope_hash"] === "string"
  );
}
