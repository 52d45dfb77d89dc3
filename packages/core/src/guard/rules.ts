import { AgentKeysError } from "@agentkeys/contract";
import { assertRow, type Rows } from "./classify-call.ts";
import { type Definitions, definitionsOf } from "./definitions.ts";
import type { GuardOptions, GuardRow } from "./guard-surface.ts";

/** The guard's rows, the key of its digests where it has one, and what it does where nothing fits. */
export interface Rules extends Rows {
  readonly definitions: Definitions;
  readonly digestKey: Uint8Array | undefined;
  readonly onUncertain: GuardOptions["onUncertain"];
  readonly showInput: boolean;
}

/** A copy of what the options say. Throws `config_invalid` for what could never govern anything, or only mislead. */
export function assertRules<I extends object>(options: GuardOptions<I>): Rules {
  const { client, classify, onUncertain, approval = {} } = options;
  const { waitMs, showInput = false } = approval;
  const tools = Object.freeze({ ...options.tools }) as Readonly<Record<string, GuardRow>>;
  for (const [tool, row] of Object.entries(tools)) assertRow(row, `tools.${tool}`);
  if (onUncertain !== undefined && onUncertain !== "deny" && onUncertain !== "ask") {
    throw new AgentKeysError("config_invalid", 'onUncertain: expected "deny" or "ask"');
  }
  if (waitMs !== undefined && !(waitMs > 0)) {
    const problem = "approval.waitMs: must be a number greater than 0";
    throw new AgentKeysError("config_invalid", problem);
  }
  const definitions = definitionsOf(options.definitions);
  const digestKey = keyOf(options.digestKey);
  return { client, tools, classify, definitions, onUncertain, showInput, digestKey };
}

/** A copy, because a program may wipe its own. Under an empty or guessable key a digest is as good as a plain one. */
function keyOf(given: unknown): Uint8Array | undefined {
  if (given === undefined) return undefined;
  if (ArrayBuffer.isView(given) && given.byteLength >= 16) {
    return new Uint8Array(given.buffer, given.byteOffset, given.byteLength).slice();
  }
  throw new AgentKeysError("config_invalid", "digestKey: expected at least 16 bytes");
}
