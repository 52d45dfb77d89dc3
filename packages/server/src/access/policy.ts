import { hash } from "node:crypto";
import type { Quorum } from "@agentkeys/contract";
import type { Fields } from "../rpc/fields.ts";
import { unsigned } from "../rpc/fields.ts";
import type { ScopeRule, Settings } from "../config/settings.ts";

export interface Decision {
  readonly verdict: "accept" | "deny" | "ask_parent";
  readonly scope: string;
  readonly reason: string;
  readonly explanation: string;
}

/** Decides from its arguments alone: no clock, no store, no network. `actor` in lower case. */
export type Policy = (question: { actor: string; scope: string; params: Fields }) => Decision;

type Rule = (scope: string, params: Fields) => Decision;

/** The scope of a configuration whose rule holds for every scope that it does not name. */
export const anyOther = "*";

/** Compiles the settings to one lookup. Closed world: what no rule names, not even `*`, is denied. */
export function compilePolicy(settings: Settings): Policy {
  const builtIn = builtInRules(settings.defaults.daily_spend_cap_rmb);
  const ofActor = new Map<string, ReadonlyMap<string, Rule>>();
  for (const [omni, actor] of settings.actors ?? []) {
    ofActor.set(omni, new Map([...actor.scopes].map(([scope, rule]) => [scope, compiled(rule)])));
  }
  return ({ actor, scope, params }) => {
    const rules = settings.actors === undefined ? builtIn : ofActor.get(actor);
    const rule = rules?.get(scope) ?? rules?.get(anyOther);
    return rule === undefined ? notInTable(scope) : rule(scope, params);
  };
}

function builtInRules(dailyCap: bigint): ReadonlyMap<string, Rule> {
  return new Map<string, Rule>([
    ["memory.read", allow],
    ["memory.write", allow],
    ["payment.spend", capped({ currency: "RMB", per_call: dailyCap, ask_above: undefined })],
  ]);
}

function compiled(rule: ScopeRule): Rule {
  if ("per_call" in rule) return cappedIn(rule);
  return byEffect[rule.effect];
}

function allow(scope: string): Decision {
  return scope === "memory.read" || scope === "memory.write"
    ? {
        verdict: "accept",
        scope,
        reason: "default_allow_memory",
        explanation: "memory access is allowed for the calling actor",
      }
    : {
        verdict: "accept",
        scope,
        reason: "scope_allowed",
        explanation: `scope \`${scope}\` is allowed for the calling actor`,
      };
}

function forbid(scope: string): Decision {
  const explanation = `scope \`${scope}\` is forbidden for the calling actor`;
  return { verdict: "deny", scope, reason: "scope_forbidden", explanation };
}

function ask(scope: string): Decision {
  const explanation = `scope \`${scope}\` needs an approval for every use`;
  return { verdict: "ask_parent", scope, reason: "approval_required", explanation };
}

const byEffect = { allow, ask, deny: forbid } as const;

function notInTable(scope: string): Decision {
  const explanation = `scope \`${scope}\` is not in the policy table (closed-world default deny)`;
  return { verdict: "deny", scope, reason: "scope_not_in_policy_table", explanation };
}

type Capped = Extract<ScopeRule, { per_call: bigint }>;

/** A configured cap. An amount in no named currency is taken for the rule's, one in another currency is never compared. */
function cappedIn(rule: Capped): Rule {
  const rest = capped(rule);
  return (scope, params) => {
    const currency = params["currency"];
    if (currency === undefined || currency === null) return rest(scope, params);
    if (typeof currency === "string" && currency.toUpperCase() === rule.currency.toUpperCase()) {
      return rest(scope, params);
    }
    const explanation = `${scope} is capped in ${rule.currency}`;
    return { verdict: "deny", scope, reason: "currency_mismatch", explanation };
  };
}

/** Per call, whatever upstream's word "daily" says: nothing accumulates. The cap first, then the question. */
function capped(rule: Capped): Rule {
  const field = `amount_${rule.currency.toLowerCase()}`;
  return (scope, params) => {
    // An unusable amount in the exact field is not replaced by the general one.
    const amount = unsigned(Object.hasOwn(params, field) ? params[field] : params["amount"]);
    if (amount === undefined) {
      const explanation = `${scope} requires \`${field}\` in params`;
      return { verdict: "deny", scope, reason: "missing_amount", explanation };
    }
    if (amount > rule.per_call) {
      const explanation = `cap=${rule.per_call}, requested=${amount}, period=daily`;
      return { verdict: "deny", scope, reason: "daily_spend_cap_exceeded", explanation };
    }
    if (rule.ask_above !== undefined && amount > rule.ask_above) {
      const explanation = `ask_above=${rule.ask_above}, requested=${amount}`;
      return { verdict: "ask_parent", scope, reason: "above_ask_threshold", explanation };
    }
    const explanation = `amount ${amount} ≤ daily cap ${rule.per_call}`;
    return { verdict: "accept", scope, reason: "within_daily_cap", explanation };
  };
}

/**
 * Names the rules that decide for an actor: 32 hex digits that change with any of them, and with its operator. What a person
 * approved under one version lets nothing run under another.
 */
export function policyVersions({ actors, defaults }: Settings): (actor: string) => string {
  const builtIn = versionOf(["built-in", String(defaults.daily_spend_cap_rmb)]);
  const unknown = versionOf(["unknown"]);
  const versions = Array.from(actors ?? [], ([omni, { operator, scopes }]) => {
    const rules = Array.from(scopes, ruleText).toSorted();
    return [omni, versionOf([operator, ...rules])] as const;
  });
  const ofActor = new Map(versions);
  return (actor) => (actors === undefined ? builtIn : (ofActor.get(actor) ?? unknown));
}

/** Who decides together on what an actor asks in a scope; undefined = the operator. */
export function quorums({ actors }: Settings) {
  return (actor: string, scope: string | null): Quorum | undefined => {
    const scopes = actors?.get(actor)?.scopes;
    return (scopes?.get(scope ?? anyOther) ?? scopes?.get(anyOther))?.quorum;
  };
}

function versionOf(rules: readonly string[]): string {
  return hash("sha256", JSON.stringify(rules)).slice(0, 32);
}

function ruleText([scope, rule]: readonly [string, ScopeRule]): string {
  const by = rule.quorum && [rule.quorum.required, ...rule.quorum.approvers];
  const named = by === undefined ? [] : [by];
  if (!("per_call" in rule)) return JSON.stringify([scope, rule.effect, ...named]);
  const { currency, per_call, ask_above } = rule;
  return JSON.stringify([scope, currency, String(per_call), String(ask_above ?? ""), ...named]);
}
