import { hex32Problem } from "@agentkeys/contract";
import { configInvalid, type Problem } from "./config-problems.ts";
import { usable } from "./secret-references.ts";
import { defaultApprovals, type Settings } from "./settings.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

const U64_MAX = 2n ** 64n - 1n;

/** Upstream's variables and AGENTKEYS_OPERATOR_TOKEN: every actor, upstream's built-in policy. An empty variable is an unset one. */
export function environmentSettings(env: Environment): Settings {
  const problems: Problem[] = [];
  const problem: Report = (name, message) => problems.push({ path: [name], message });
  const settings: Settings = {
    vendors: vendors(env["MCP_VENDOR_TOKENS"] ?? "", problem),
    operators: operators(env, problem),
    actors: undefined,
    approvals: defaultApprovals,
    defaults: readDefaults(env, problem),
  };
  const [operator] = settings.operators;
  if (settings.vendors.some(({ token }) => token === operator?.token)) {
    problem("AGENTKEYS_OPERATOR_TOKEN", "expected another secret than the vendors'");
  }
  if (problems.length > 0) throw configInvalid("environment", problems);
  return settings;
}

/** The values that upstream's tools fall back to. */
export function environmentDefaults(env: Environment): Settings["defaults"] {
  const problems: Problem[] = [];
  const defaults = readDefaults(env, (name, message) => problems.push({ path: [name], message }));
  if (problems.length > 0) throw configInvalid("environment", problems);
  return defaults;
}

type Report = (name: string, message: string) => void;

function readDefaults(env: Environment, problem: Report): Settings["defaults"] {
  const name = "MCP_DEFAULT_DAILY_SPEND_CAP_RMB";
  const cap = env[name] || "500";
  const valid = /^\d{1,20}$/.test(cap) && BigInt(cap) <= U64_MAX;
  if (!valid) problem(name, "expected a whole number of RMB, 0 or more");
  return {
    actor: env["MCP_DEFAULT_ACTOR"] || undefined,
    operator_omni: env["MCP_DEFAULT_OPERATOR_OMNI"] || undefined,
    device_key_hash: env["MCP_DEFAULT_DEVICE_KEY_HASH"] || undefined,
    daily_spend_cap_rmb: valid ? BigInt(cap) : 0n,
  };
}

/** `vendor:token,vendor2:token2`; as upstream does, blanks around them do not count and a vendor's last token wins. */
function vendors(list: string, problem: Report): Settings["vendors"] {
  const found = new Map<string, string>();
  for (const [index, pair] of list.split(",").entries()) {
    if (pair.trim() === "") continue;
    const colon = pair.indexOf(":");
    const name = pair.slice(0, Math.max(colon, 0)).trim();
    const token = usable(pair.slice(colon + 1), "its token");
    if (name === "") problem("MCP_VENDOR_TOKENS", `entry ${index + 1}: expected vendor:token`);
    else if ("secret" in token) found.set(name, token.secret);
    else problem("MCP_VENDOR_TOKENS", `entry ${index + 1}: ${token.problem}`);
  }
  return Array.from(found, ([name, token]) => ({ name, token }));
}

/** One operator, when both its token and its omni are set. */
function operators(env: Environment, problem: Report): Settings["operators"] {
  const omni = env["MCP_DEFAULT_OPERATOR_OMNI"];
  const given = env["AGENTKEYS_OPERATOR_TOKEN"];
  if (!given || !omni) return [];
  const token = usable(given, "the token");
  if (!("secret" in token)) {
    problem("AGENTKEYS_OPERATOR_TOKEN", token.problem);
    return [];
  }
  if (hex32Problem("operator", omni) !== undefined) {
    const why = "because AGENTKEYS_OPERATOR_TOKEN is this operator's";
    problem("MCP_DEFAULT_OPERATOR_OMNI", `expected an omni: 0x and 64 hex digits, ${why}`);
  }
  return [{ omni: omni.toLowerCase(), token: token.secret }];
}
