import {
  AgentKeysError,
  modelPrefix,
  toolKey,
  type ToolRow,
  tools as operations,
} from "@agentkeys/contract";
import { copyAgain, copyInput } from "./copy-input.ts";
import type { Refusal } from "./decision.ts";
import type { Definitions } from "./definitions.ts";
import type { Client } from "../client/client-surface.ts";
import type { Classify, GuardRow, JsonObject } from "./guard-surface.ts";
import { isRecord } from "../json/is-record.ts";
import { ownRow } from "./own-tools.ts";
import { toWellFormed } from "../json/well-formed.ts";

export interface Rows {
  readonly client: Client;
  readonly tools: Readonly<Record<string, GuardRow>>;
  readonly classify: Classify | undefined;
  readonly definitions: Pick<Definitions, "refusal">;
}

/** What the guard asks about one call, or why it refuses to ask. */
export interface Classified {
  /** The name that is recorded. */
  readonly tool: string;
  readonly scope: string | null;
  readonly params: JsonObject;
  /** Input fields that are recorded in clear. */
  readonly record: readonly string[];
  /** What a person reads; undefined = nothing of the row's own. */
  readonly text: string | undefined;
  readonly idempotent: boolean;
  readonly refused: Refusal | undefined;
}

/**
 * An exact row, else `classify`, else AgentKeys' own row. The user's functions get copies of the input, so that nothing they do
 * reaches the tool; when they throw or give something else than asked for, the call is refused.
 */
export function classifyCall(rows: Rows, tool: string, input: unknown): Classified {
  let scope: string | null = null;
  const changed = rows.definitions.refusal(tool);
  if (changed !== undefined) {
    scope = Object.hasOwn(rows.tools, tool) ? (rows.tools[tool]?.scope ?? null) : null;
    return { ...plain, tool, scope, refused: changed };
  }
  try {
    const row = rowFor(rows, tool, input);
    if (row !== undefined) {
      ({ scope } = row);
      const { params: map, record = [], describe, idempotent = false } = row;
      const params = map === undefined ? {} : paramsOf(silenced(map(copyOf(input))));
      const text = describe === undefined ? undefined : textOf(silenced(describe(copyOf(input))));
      return { tool, scope, params, record, text, idempotent, refused: undefined };
    }
    const own = ownRow(rows.client, tool);
    if (own === undefined) return refuse({ tool, scope }, "unmapped_tool", unmapped(rows, tool));
    return { ...plain, ...ownFacts(own, tool, input), refused: undefined };
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

/** What there is to say of a call that no row describes. */
const plain = { params: {}, record: [], text: undefined, idempotent: false };

/** Throws `config_invalid` for what is no row; `where` is named in the message. */
export function assertRow(row: unknown, where: string): asserts row is GuardRow {
  const problem = problemOf(isRecord(row) ? row : {});
  if (problem !== undefined) throw new AgentKeysError("config_invalid", `${where}.${problem}`);
}

function problemOf(row: Record<string, unknown>): string | undefined {
  const { scope, params, record = [], describe, idempotent } = row;
  if (typeof scope !== "string" || scope === "") {
    return "scope: expected the name of a permission, payment.spend for example";
  }
  if (params !== undefined && typeof params !== "function") {
    return "params: expected a function of the input";
  }
  if (describe !== undefined && typeof describe !== "function") {
    return "describe: expected a function of the input";
  }
  if (idempotent !== undefined && typeof idempotent !== "boolean") {
    return "idempotent: expected true or false";
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

/** Longest text that an authority takes, in UTF-16 units. */
const maxText = 4000;

/** Whoever reads a text that was cut is told so. */
function textOf(given: unknown): string {
  if (typeof given !== "string" || given.trim() === "") throw new TypeError("describe: no text");
  const cut = given.length <= maxText ? "" : ` … (${given.length} characters in all)`;
  const text = cut === "" ? given : given.slice(0, maxText - cut.length) + cut;
  // A row may cut in the middle of a character, too.
  return toWellFormed(text);
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
  return copyAgain(input) as JsonObject;
}

function refuse(
  facts: Pick<Classified, "tool" | "scope">,
  reason: string,
  explanation: string,
): Classified {
  const refused = { code: "permission_denied", reason, explanation } as const;
  return { ...plain, ...facts, refused };
}

function unmapped({ classify }: Rows, tool: string): string {
  const row = `add tools: { ${quoted(tool)}: { scope: "…" } } to createGuard`;
  if (classify === undefined) return `no row for ${quoted(tool)}; ${row}`;
  // A row for a tool that does many things would let all of them through.
  return `neither a row nor classify maps this call of ${quoted(tool)}; ${row}, or map what it does here in classify`;
}

function quoted(tool: string): string {
  return JSON.stringify(tool.slice(0, 64));
}
