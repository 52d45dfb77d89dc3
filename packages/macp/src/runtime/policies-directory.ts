import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { AgentKeysError } from "@agentkeys/contract";
import { z } from "zod";
import { createPolicyRegistry, type PolicyInit } from "../policy/policy-registry.ts";

const policyFile = z.object({
  policy_id: z.string(),
  mode: z.string(),
  description: z.string().default(""),
  /** The rules themselves, or their JSON as text. */
  rules: z.union([z.record(z.string(), z.unknown()), z.string()]).default({}),
  schema_version: z.int().min(0).max(4_294_967_295),
});

interface Checked {
  readonly path: string;
  readonly policy: PolicyInit | undefined;
  /** Why it cannot be loaded. */
  readonly problem: string | undefined;
}

/** The policies of the `*.json` files of a directory, in the order of their names. Throws `config_invalid` for the first that cannot be used. */
export function readPolicies(directory: string): PolicyInit[] {
  return checkPolicies(directory).map(({ path, policy, problem }) => {
    if (policy !== undefined && problem === undefined) return policy;
    throw new AgentKeysError("config_invalid", `MACP_POLICIES_DIR: ${path}: ${problem}`);
  });
}

/** Says of each file whether it would be loaded, one line each. False when one would not. */
export function reportPolicies(directory: string, print: (line: string) => void): boolean {
  const checked = checkPolicies(directory);
  for (const { path, policy, problem } of checked) {
    print(
      problem === undefined ? `OK ${path} (${policy?.policyId})` : `REJECTED ${path}: ${problem}`,
    );
  }
  const rejected = checked.filter(({ problem }) => problem !== undefined).length;
  print(`${checked.length} policy files in ${directory}, ${rejected} rejected`);
  return rejected === 0;
}

/** As a registry would take them, one after another. Throws `config_invalid` where the directory cannot be read. */
function checkPolicies(directory: string): Checked[] {
  const registry = createPolicyRegistry();
  return namesIn(directory).map((name) => {
    const path = join(directory, name);
    try {
      const policy = toPolicy(policyFile.parse(JSON.parse(readFileSync(path, "utf8"))));
      const registered = registry.register(policy);
      return { path, policy, problem: registered.ok ? undefined : registered.error };
    } catch (error) {
      const problem = error instanceof z.ZodError ? z.prettifyError(error) : String(error);
      return { path, policy: undefined, problem };
    }
  });
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
      .filter((name) => name.endsWith(".json"))
      .toSorted();
  } catch (cause) {
    throw new AgentKeysError("config_invalid", `MACP_POLICIES_DIR: ${String(cause)}`, { cause });
  }
}

function toPolicy({ rules, ...policy }: z.output<typeof policyFile>): PolicyInit {
  return {
    policyId: policy.policy_id,
    mode: policy.mode,
    description: policy.description,
    rules: typeof rules === "string" ? rules : JSON.stringify(rules),
    schemaVersion: policy.schema_version,
  };
}
