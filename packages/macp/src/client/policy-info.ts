import { create } from "@bufbuild/protobuf";
import { type PolicyDescriptor, PolicyDescriptorSchema } from "../generated/macp/v1/policy_pb.ts";

/** What is registered. Policies are immutable: another text needs another id. */
export interface PolicyDefinition {
  policyId: string;
  /** A mode's id, or `*`. */
  mode: string;
  /** A JSON object, or its text. */
  rules: object | string;
  description?: string;
  /** Default: 2, which every runtime evaluates. A runtime that knows no 3 takes it and then refuses every commitment. */
  schemaVersion?: number;
}

/** A policy as the runtime has it. */
export interface PolicyInfo {
  readonly policyId: string;
  readonly mode: string;
  readonly description: string;
  /** JSON text, as the runtime writes it. */
  readonly rules: string;
  readonly schemaVersion: number;
  /** Unix milliseconds; 0 where the runtime does not say. */
  readonly registeredAtMs: number;
}

export function toPolicyDescriptor(definition: PolicyDefinition): PolicyDescriptor {
  const { policyId, mode, rules, description = "", schemaVersion = 2 } = definition;
  return create(PolicyDescriptorSchema, {
    policyId,
    mode,
    description,
    rules: typeof rules === "string" ? rules : JSON.stringify(rules),
    schemaVersion,
  });
}

export function toPolicyInfo(descriptor: PolicyDescriptor): PolicyInfo {
  const { policyId, mode, description, rules, schemaVersion, registeredAtUnixMs } = descriptor;
  return {
    policyId,
    mode,
    description,
    rules,
    schemaVersion,
    registeredAtMs: Number(registeredAtUnixMs),
  };
}
