import { z } from "zod";
import { type CommitmentRules, commitmentRules } from "./rules.ts";

/** JSON that is an object. */
export type JsonObject = { readonly [key: string]: unknown };

/** A policy as it is frozen on a session. */
export interface Policy {
  readonly policy_id: string;
  /** A mode id, or `*` for every mode. */
  readonly mode: string;
  readonly description: string;
  readonly rules: JsonObject;
  readonly schema_version: number;
}

/**
 * 1 and 2 are upstream's up to 0.6.1; under 3 no decisive vote is no approval, and a weight that is not written down is 0.
 */
const schemaVersions: readonly number[] = [1, 2, 3];

/** From this version on a rule that 1 and 2 leave open is closed. */
export const strictSchemaVersion = 3;

/** Rules of a policy read for one mode. */
export interface BoundRules<R> {
  readonly rules: R;
  readonly schemaVersion: number;
  /** Why every commitment is denied, whatever the rules say. */
  readonly problem: string | undefined;
}

/** A policy never changes, and many sessions start under the same one. */
const bound = new WeakMap<Policy, Map<z.ZodType, unknown>>();

/** Defaults stand in for rules that cannot be read, and then no commitment passes. */
export function bindRules<S extends z.ZodType>(policy: Policy, schema: S): BoundRules<z.output<S>> {
  const known = bound.get(policy) ?? new Map<z.ZodType, unknown>();
  bound.set(policy, known);
  const found = known.get(schema) ?? readRules(policy, schema);
  known.set(schema, found);
  return found as BoundRules<z.output<S>>;
}

function readRules<S extends z.ZodType>(policy: Policy, schema: S): BoundRules<z.output<S>> {
  const schemaVersion = policy.schema_version;
  const parsed = schema.safeParse(policy.rules);
  if (!parsed.success) {
    const problem = `policy '${policy.policy_id}' rules failed to parse at evaluation time`;
    return { rules: schema.parse({}), schemaVersion, problem };
  }
  const problem = schemaVersions.includes(schemaVersion)
    ? undefined
    : `unsupported policy schema version: ${schemaVersion} (supported: [${schemaVersions.join(", ")}])`;
  return { rules: parsed.data, schemaVersion, problem };
}

const commitmentOnly = z.object({ commitment: commitmentRules });

/** Who may commit is read apart from the rest, so that a policy for every mode governs every mode's commitments. */
export function commitmentRulesOf(policy: Policy): CommitmentRules {
  return bindRules(policy, commitmentOnly).rules.commitment;
}
