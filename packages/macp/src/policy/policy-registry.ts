import { create } from "@bufbuild/protobuf";
import { type PolicyDescriptor, PolicyDescriptorSchema } from "../generated/macp/v1/policy_pb.ts";
import { createTopic, type Listener, type Unsubscribe } from "../kernel/topic.ts";
import { defaultPolicy } from "../protocol/constants.ts";
import type { JsonObject, Policy } from "./policy.ts";
import { rulesProblem } from "./rule-domains.ts";

/** What a registry says to a change. `error` is for people; programs look for `already registered` and `reserved` in it. */
export type Registration = { readonly ok: true } | { readonly ok: false; readonly error: string };

/** A policy as it is sent: `rules` is JSON text, and empty text is no rules. */
export type PolicyInit = Pick<
  PolicyDescriptor,
  "policyId" | "mode" | "description" | "rules" | "schemaVersion"
>;

/** Policies by id. An id never changes its meaning: sessions keep the policy that they started under. */
export interface PolicyRegistry {
  register(policy: PolicyInit): Registration;
  unregister(policyId: string): Registration;
  get(policyId: string): PolicyDescriptor | undefined;
  /** In the order of ids; for one mode its own and those for every mode. */
  list(mode?: string): PolicyDescriptor[];
  /** The policy that a SessionStart names; empty names the default. */
  resolve(policyVersion: string): Policy | undefined;
  /** Called after each change. */
  watch(listener: Listener<void>): Unsubscribe;
}

const refused = (error: string): Registration => ({ ok: false, error });

export function createPolicyRegistry(): PolicyRegistry {
  const policies = new Map<string, Policy>([[defaultPolicy, builtIn]]);
  const changes = createTopic<void>();
  const changed = (): Registration => {
    changes.publish();
    return { ok: true };
  };
  return {
    register(init) {
      const policy = toPolicy(init);
      if (typeof policy === "string") return refused(`INVALID_POLICY_DEFINITION: ${policy}`);
      if (policies.has(policy.policy_id)) {
        return refused(`policy '${policy.policy_id}' is already registered`);
      }
      policies.set(policy.policy_id, policy);
      return changed();
    },
    unregister(policyId) {
      if (policyId === defaultPolicy) {
        return refused("cannot unregister the built-in default policy: its id is reserved");
      }
      return policies.delete(policyId) ? changed() : refused(`policy '${policyId}' not found`);
    },
    get(policyId) {
      const policy = policies.get(policyId);
      return policy && toDescriptor(policy);
    },
    list(mode = "") {
      return [...policies.values()]
        .filter((policy) => mode === "" || policy.mode === mode || policy.mode === "*")
        .toSorted((a, b) => (a.policy_id < b.policy_id ? -1 : 1))
        .map(toDescriptor);
    },
    resolve: (policyVersion) => policies.get(policyVersion === "" ? defaultPolicy : policyVersion),
    watch: changes.subscribe,
  };
}

/** Nothing but the defaults: the initiator decides, and everything is allowed. */
const builtIn: Policy = {
  policy_id: defaultPolicy,
  mode: "*",
  description: "Default policy: no vote is needed and the initiator commits.",
  // Written out, as the reference runtime does: whoever reads the policy sees what applies.
  rules: {
    commitment: { authority: "initiator_only", designated_roles: [], require_vote_quorum: false },
    evaluation: { minimum_confidence: 0, required_before_voting: false },
    objection_handling: { critical_severity_vetoes: false, veto_threshold: 1 },
    voting: { algorithm: "none", quorum: { type: "count", value: 0 } },
  },
  schema_version: 1,
};

/** A text instead says what is wrong. */
function toPolicy(init: PolicyInit): Policy | string {
  if (init.policyId.trim() === "") return "policy_id must not be empty";
  if (init.policyId === defaultPolicy) {
    return `cannot register with reserved policy_id '${defaultPolicy}'`;
  }
  if (init.schemaVersion < 1) return "schema_version must be > 0";
  const rules = readJson(init.rules);
  if (rules === undefined) return "rules must be a JSON object";
  const problem = rulesProblem(init.mode, rules);
  if (problem !== undefined) return problem;
  return {
    policy_id: init.policyId,
    mode: init.mode,
    description: init.description,
    rules,
    schema_version: init.schemaVersion,
  };
}

function readJson(text: string): JsonObject | undefined {
  if (text.trim() === "") return {};
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null && !Array.isArray(value)
      ? (value as JsonObject)
      : undefined;
  } catch {
    return undefined;
  }
}

function toDescriptor(policy: Policy): PolicyDescriptor {
  return create(PolicyDescriptorSchema, {
    policyId: policy.policy_id,
    mode: policy.mode,
    description: policy.description,
    rules: sortedJson(policy.rules),
    schemaVersion: policy.schema_version,
  });
}

/** Compact, keys sorted: what a client reads back is the rules, not the text it sent. */
function sortedJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(sortedJson).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const fields = Object.entries(value)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, field]) => `${JSON.stringify(key)}:${sortedJson(field)}`);
  return `{${fields.join(",")}}`;
}
