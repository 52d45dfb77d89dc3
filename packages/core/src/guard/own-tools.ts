import { AgentKeysError, modelInput, modelPrefix } from "@agentkeys/contract";
import type { ToolRow, ToolSource } from "@agentkeys/contract";
import type { OwnToolsOptions } from "./guard-surface.ts";

/** One AgentKeys operation as a framework needs it. */
export interface OwnTool {
  /** The model-facing name: prefix + key. */
  readonly name: string;
  readonly row: ToolRow;
  /** Zod schema of what a model passes; ambient fields are not in it. */
  readonly schema: ReturnType<typeof modelInput>;
  call(input: unknown, signal?: AbortSignal): Promise<unknown>;
}

const namesOf = new WeakMap<ToolSource, Map<string, ToolRow>>();

/**
 * The source's operations under model-safe names; an unknown key in `only` is an error. With `byName` (default: false) a
 * guard decides whatever bears such a name by the operation's row, for a seam that sees names and no objects.
 */
export function ownTools(
  source: ToolSource,
  options: OwnToolsOptions = {},
  { byName = false }: { byName?: boolean } = {},
): OwnTool[] {
  const keys = options.only ?? Object.keys(source.rows);
  const names = namesOf.get(source) ?? new Map<string, ToolRow>();
  namesOf.set(source, names);
  return keys.map((key) => {
    const row = Object.hasOwn(source.rows, key) ? source.rows[key] : undefined;
    if (row === undefined) {
      throw new AgentKeysError("config_invalid", `only: no such tool: ${key}`);
    }
    const name = `${options.prefix ?? modelPrefix}${key}`;
    if (byName) names.set(name, row);
    return {
      name,
      row,
      schema: modelInput(row),
      call: (input, signal) => source.call(key, input, signal === undefined ? {} : { signal }),
    };
  });
}

/** The contract's row behind a name that `ownTools` gave out `byName` for this source. */
export function ownRow(source: ToolSource, name: string): ToolRow | undefined {
  return namesOf.get(source)?.get(name);
}
