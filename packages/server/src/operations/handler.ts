import type { ToolKey, WireValue } from "@agentkeys/contract";
import type { Caller } from "../access/auth.ts";
import type { Fields } from "../rpc/fields.ts";
import { missing, optionalText } from "../rpc/fields.ts";
import type { Services } from "../services.ts";

export interface Call {
  readonly caller: Caller;
  readonly args: Fields;
}

/** One operation. Gives the structured result; throws AgentKeysError with upstream's text. */
export type Handler = (services: Services, call: Call) => WireValue | Promise<WireValue>;

/** Every operation of the contract: one without a handler does not compile. */
export type Handlers = Readonly<Record<ToolKey, Handler>>;

const variables = {
  actor: "MCP_DEFAULT_ACTOR",
  operator_omni: "MCP_DEFAULT_OPERATOR_OMNI",
  device_key_hash: "MCP_DEFAULT_DEVICE_KEY_HASH",
} as const;

type Ambient = keyof typeof variables;

/** What stands in for an absent argument. The operator of a configured actor is known better than by a default for everybody. */
function standIn(services: Services, key: Ambient, args: Fields): string | undefined {
  const { actors, defaults } = services.settings;
  if (key !== "operator_omni") return defaults[key];
  const actor = optionalText(args, "actor") ?? defaults.actor ?? "";
  return actors?.get(actor.toLowerCase())?.operator ?? defaults[key];
}

/** An identity field of memory and credential operations: the argument, else what stands in for it. */
export function ambient(services: Services, args: Fields, key: Ambient): string {
  const value = optionalText(args, key) ?? standIn(services, key, args);
  if (value !== undefined) return value;
  const flag = `--${key.replaceAll("_", "-")}`;
  const hint = `set it in /etc/agentkeys/mcp.env or pass via ${flag}`;
  return missing(key, ` and no ${variables[key]} configured — ${hint}`);
}

/** The same with the shorter text of the other operations. `holder` holds the field, `label` names it in the error. */
export function ambientIn(
  services: Services,
  call: Call,
  field: { key: Ambient; holder?: Fields; label?: string },
): string {
  const { key, holder = call.args, label = key } = field;
  const value = optionalText(holder, key) ?? standIn(services, key, call.args);
  return value ?? missing(label, ` and no ${variables[key]} set`);
}
