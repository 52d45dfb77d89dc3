import type { ApprovalRule } from "@agentkeys/contract";
import type { OperatorRules } from "../approvals/approval-surface.ts";
import { isRecord } from "../json/is-record.ts";
import type { OperatorDoor } from "./operator-door.ts";
import { unavailable } from "../transport/unavailable.ts";

export function createOperatorRules(door: OperatorDoor): OperatorRules {
  return Object.freeze<OperatorRules>({
    async list(call = {}) {
      const { rules } = await door.get("/v1/rules", call);
      if (Array.isArray(rules) && rules.every(isRule)) return rules;
      throw unavailable("malformed answer: not a list of rules");
    },
    async revoke(id, { reason, ...call }) {
      const route = `/v1/rules/${encodeURIComponent(id)}/revoke`;
      const { ok, rule } = await door.post(route, { reason }, { ...call, repeatable: true });
      if (ok === true && isRule(rule)) return rule;
      throw unavailable("malformed answer: not a rule");
    },
  });
}

const texts = ["id", "actor", "operator_omni", "tool", "approval", "approver", "reason"];

function isRule(value: unknown): value is ApprovalRule {
  return (
    isRecord(value) &&
    texts.every((field) => typeof value[field] === "string") &&
    (value["match"] === "tool" || value["match"] === "input") &&
    (value["for"] === "thread" || value["for"] === "actor") &&
    Number.isSafeInteger(value["created_at"]) &&
    Number.isSafeInteger(value["expires_at"])
  );
}
