import { dirname } from "node:path";
import type * as z from "zod";
import { readConfigFile } from "./config-file.ts";
import { configInvalid, type Problem } from "./config-problems.ts";
import { danglingReferences, twins } from "./config-references.ts";
import { type AuthorityConfig, resolvingSchema } from "./config-schema.ts";
import { type Environment, environmentDefaults, environmentSettings } from "./environment.ts";
import { type ActorSettings, defaultApprovals, type ScopeRule, type Settings } from "./settings.ts";

export interface SettingsOptions {
  /** Path of a YAML file, or its content as an object; undefined = upstream's environment variables alone. */
  readonly config: string | AuthorityConfig | undefined;
  /** `MCP_DEFAULT_*` is read with a configuration too; vendors and operators come from it alone then. */
  readonly env: Environment;
}

/** Throws one `config_invalid` that tells every problem with file, line, key and what was expected. */
export function loadSettings({ config, env }: SettingsOptions): Settings {
  if (config === undefined) return environmentSettings(env);
  const file = typeof config === "string" ? readConfigFile(config) : undefined;
  const value = file === undefined ? config : file.value;
  const source = typeof config === "string" ? config : "config";
  const kind = file === undefined ? "object" : "file";
  const directory = typeof config === "string" ? dirname(config) : ".";
  const parsed = resolvingSchema(kind, { env, directory }).safeParse(value);
  const problems = [
    ...(parsed.success ? [] : parsed.error.issues.flatMap((issue) => toProblems(issue, value))),
    ...danglingReferences(value),
    ...(parsed.success ? twins(parsed.data) : []),
  ];
  if (problems.length > 0 || !parsed.success) {
    const placed = problems.map((problem) => ({ ...problem, line: file?.lineOf(problem.path) }));
    throw configInvalid(source, placed);
  }
  return { ...toSettings(parsed.data), defaults: environmentDefaults(env) };
}

const PER_DAY =
  "per_day needs the spend ledger, which this version does not have yet; per_call is enforced";

function toProblems(issue: z.core.$ZodIssue, root: unknown, above: PropertyKey[] = []): Problem[] {
  const path = [...above, ...issue.path];
  const { message } = issue;
  switch (issue.code) {
    case "unrecognized_keys":
      return issue.keys.map((key) => ({
        path: [...path, key],
        message: key === "per_day" ? PER_DAY : message,
      }));
    case "invalid_key":
      return [{ path, message: issue.issues[0]?.message ?? message }];
    case "invalid_union": {
      // A scope's rule that is a map is meant as one; a word is told all forms.
      const value = at(root, path);
      const nested = isMap(value) ? issue.errors.at(meansQuorum(value) ? -2 : -1) : undefined;
      return nested?.flatMap((inner) => toProblems(inner, root, path)) ?? [{ path, message }];
    }
    default:
      return [{ path, message }];
  }
}

function isMap(value: unknown): value is object {
  return typeof value === "object" && value !== null;
}

function meansQuorum(rule: object): boolean {
  return "quorum" in rule && !["currency", "per_call", "ask_above"].some((key) => key in rule);
}

function at(root: unknown, path: readonly PropertyKey[]): unknown {
  let value = root;
  for (const key of path) value = (value as Readonly<Record<PropertyKey, unknown>> | null)?.[key];
  return value;
}

type Resolved = z.output<ReturnType<typeof resolvingSchema>>;
type ResolvedActor = NonNullable<Resolved["actors"]>[string];

function toSettings(config: Resolved): Omit<Settings, "defaults"> {
  const { vendors = {}, operators = {}, actors = {}, approvals = {} } = config;
  return {
    approvals: { ttl_seconds: approvals.ttl_seconds ?? defaultApprovals.ttl_seconds },
    vendors: Object.entries(vendors).map(([name, { token }]) => ({ name, token })),
    operators: Object.entries(operators).map(([key, { token }]) => ({
      omni: key.toLowerCase(),
      token,
    })),
    actors: new Map(
      Object.entries(actors).map(([key, actor]) => [key.toLowerCase(), toActor(key, actor)]),
    ),
  };
}

/** Omnis, namespaces and services in lower case, as capabilities have them. */
function toActor(omni: string, actor: ResolvedActor): ActorSettings {
  const { operator, vendor, namespaces = [], services = [], scopes = {} } = actor;
  return {
    omni: omni.toLowerCase(),
    operator: operator.toLowerCase(),
    vendor,
    namespaces: new Set(namespaces.map((name) => name.toLowerCase())),
    services: new Set(services.map((name) => name.toLowerCase())),
    scopes: new Map(Object.entries(scopes).map(([scope, rule]) => [scope, toRule(rule)])),
  };
}

function toRule(rule: NonNullable<ResolvedActor["scopes"]>[string]): ScopeRule {
  if (typeof rule === "string") return { effect: rule };
  if (!("per_call" in rule)) return { effect: "ask", quorum: rule.quorum };
  const { currency, per_call, ask_above, quorum } = rule;
  return {
    quorum,
    currency,
    per_call: BigInt(per_call),
    ask_above: ask_above === undefined ? undefined : BigInt(ask_above),
  };
}
