import {
  AgentKeysError,
  modelPrefix,
  toolKey,
  type ToolRow,
  tools as operations,
} from "@agentkeys/contract";
import { copyInput } from "./copy-input.ts";
import type { Refusal } from "./decision.ts";
import type { Client } from "./client-surface.ts";
import type { Classify, GuardRow, JsonObject } from "./guard-surface.ts";
import { isRecord } from "./is-record.ts";
import { ownRow } from "./own-tools.ts";

export interface Rows {
  readonly client: Client;
  readonly tools: Readonly<Record<string, GuardRow>>;
  readonly classify: Classify | undefined;
}

/** What the guard asks about one call, or why it refuses to ask. */
export interface Classified {
  /** The name that is recorded. */
  readonly tool: string;
  readonly scope: string | null;
  readonly params: JsonObject;
  /** Input fields that are recorded in clear. */
  readonly record: readonly string[];
  readonly refused: Refusal | undefined;
}

/**
 * An exact row, else `classify`, else AgentKeys' own row. The user's functions get copies of the input, so that nothing they do
 * reaches the tool; when they throw or give something else than asked for, the call is refused.
 */
export function classifyCall(rows: Rows, tool: string, input: unknown): Classified {
  let scope: string | null = null;
  try {
    const row = rowFor(rows, tool, input);
    if (row !== undefined) {
      ({ scope } = row);
      const params = row.params === undefined ? {} : paramsOf(silenced(row.params(copyOf(input))));
      return { tool, scope, params, record: row.record ?? [], refused: undefined };
    }
    const own = ownRow(rows.client, tool);
    if (own === undefined) return refuse({ tool, scope }, "unmapped_tool", unmapped(tool));
    return { ...ownFacts(own, tool, input), params: {}, record: [], refused: undefined };
  } catch {
    // What was thrown may quote the input.
    const explanation = `the row of ${quoted(tool)} gives no scope and params for this input`;
    return refuse({ tool, scope }, "mapping_failed", explanation);
  }
}

function rowFor({ tools, classify }: Rows, tool: string, input: unknown): GuardRow | undefined {
  if (Object.hasOwn(tools, tool)) return tools[tool];
  const row = silenced(classify?.({ tool, input: copyOf(input) }));
  if (row !== undefined) assertRow(row, "classify");
  return row;
}

/** Throws `config_invalid` for what is no row; `where` is named in the message. */
export function assertRow(row: unknown, where: string): asserts row is GuardRow {
  const problem = problemOf(isRecord(row) ? row : {});
  if (problem !== undefined) throw new AgentKeysError("config_invalid", `${where}.${problem}`);
}

function problemOf({ scope, params, record = [] }: Record<string, unknown>): string | undefined {
  if (typeof scope !== "string" || scope === "") {
    return "scope: expected the name of a permission, payment.spend for example";
  }
  if (params !== undefined && typeof params !== "function") {
    return "params: expected a function of the input";
  }
  const named = Array.isArray(record) && record.every((field) => typeof field === "string");
  return named ? undefined : "record: expected names of input fields";
}

/** A promise is no answer, so the call is refused; what it rejects with later must not end the process. */
function silenced<T>(given: T): T {
  if (given instanceof Promise) given.catch(() => {});
  return given;
}

function paramsOf(given: unknown): JsonObject {
  const { json } = copyInput(given);
  if (isRecord(json) && given !== undefined) return json;
  throw new TypeError("params: expected an object");
}

/** The authority lets only names that it knows begin without a scope, so one under another prefix goes by its wire name. */
function ownFacts(row: ToolRow, tool: string, input: unknown): Pick<Classified, "tool" | "scope"> {
  if (row.scope === null) {
    return { tool: tool === `${modelPrefix}${toolKey(row.id)}` ? tool : row.id, scope: null };
  }
  if (row.scope !== "by_op") return { tool, scope: row.scope };
  const op = isRecord(input) ? input["op"] : undefined;
  const scope = typeof op === "string" && Object.hasOwn(operations, op) ? scopeOfOp(op) : undefined;
  if (scope === undefined) throw new TypeError("op: expected one of the row's");
  return { tool, scope };
}

function scopeOfOp(op: string): string | undefined {
  const { scope } = (operations as Readonly<Record<string, ToolRow>>)[op] ?? {};
  return scope === "by_op" ? undefined : (scope ?? undefined);
}

function copyOf(input: unknown): JsonObject {
  return copyInput(input).value as JsonObject;
}

function refuse(
  facts: Pick<Classified, "tool" | "scope">,
  reason: string,
  explanation: string,
): Classified {
  const refused = { code: "permission_denied", reason, explanation } as const;
  return { ...facts, params: {}, record: [], refused };
}

function unmapped(tool: string): string {
  return `no row for ${quoted(tool)}; add tools: { ${quoted(tool)}: { scope: "…" } } to createGuard`;
}

function quoted(tool: string): string {
  return JSON.stringify(tool.slice(0, 64));
}
