import { inspect, isDeepStrictEqual } from "node:util";
import { type Recorded, recordedFields, type RecordedFacts } from "./recorded.ts";

/** A value, a pattern for a text, or an asymmetric matcher of the test runner (`expect.any(String)`). */
type Like<T> = T | RegExp | { asymmetricMatch(value: unknown): boolean };

/** Fields that a record must have; objects in part, everything else exactly. */
export type ExpectedRecord = {
  [K in keyof (RecordedFacts & Recorded)]?: Like<NonNullable<Recorded[K]> | null>;
};

/** A log: `authority.log()`, or the authority itself. */
export type LogSource = readonly Recorded[] | { log(): readonly Recorded[] };

/** What an assertion found. */
export interface Found {
  readonly pass: boolean;
  /** Why it is as it is, for both outcomes. */
  readonly message: () => string;
}

/** The records that have these fields. A field that no record can have is a TypeError, so that a slip cannot pass for an absence. */
export function findRecords(source: LogSource, expected: ExpectedRecord): Recorded[] {
  const unknown = Object.keys(expected).filter((field) => !recordedFields.has(field));
  if (unknown.length > 0) {
    throw new TypeError(
      `no record has a field ${unknown.join(", ")}; there are ${[...recordedFields].join(", ")}`,
    );
  }
  return rowsOf(source).filter((record) => differences(record, expected).length === 0);
}

export function recorded(source: LogSource, expected: ExpectedRecord): Found {
  const [found] = findRecords(source, expected);
  const wanted = spelled(expected);
  return {
    pass: found !== undefined,
    message: () =>
      found === undefined
        ? `no record has ${wanted}\n${nearest(source, expected)}${listed(source)}`
        : `a record has ${wanted}: ${line(found)}`,
  };
}

/** A tool's name, or more about the refusal. */
export type ExpectedDenial = string | Omit<ExpectedRecord, "kind" | "verdict" | "result">;

/** Refused, and no outcome follows: nothing ran. */
export function denied(source: LogSource, expected: ExpectedDenial): Found {
  const facts = typeof expected === "string" ? { tool: expected } : expected;
  const refusal: ExpectedRecord = { ...facts, kind: "guard.intent", verdict: "deny" };
  const { pass, message } = recorded(source, refusal);
  const ran = findRecords(source, refusal)
    .flatMap(({ envelope_hash }) => findRecords(source, { intent: envelope_hash }))
    .find(({ kind }) => kind === "runtime.tool_result");
  if (ran === undefined) return { pass, message };
  return { pass: false, message: () => `refused, and yet it ran: ${line(ran)}${listed(source)}` };
}

function rowsOf(source: LogSource): readonly Recorded[] {
  const rows = "log" in source ? source.log() : source;
  if (Array.isArray(rows)) return rows as readonly Recorded[];
  throw new TypeError("expected authority.log() or the authority itself");
}

/** Names of the fields that are not as expected. */
function differences(record: Recorded, expected: ExpectedRecord): string[] {
  const fields = record as unknown as Readonly<Record<string, unknown>>;
  return Object.entries(expected)
    .filter(([field, wanted]) => !matches(fields[field], wanted))
    .map(([field]) => field);
}

function matches(actual: unknown, wanted: unknown): boolean {
  if (isAsymmetric(wanted)) return wanted.asymmetricMatch(actual);
  if (wanted instanceof RegExp) return typeof actual === "string" && wanted.test(actual);
  if (!isMap(wanted)) return isDeepStrictEqual(actual, wanted);
  return (
    isMap(actual) && Object.entries(wanted).every(([field, value]) => matches(actual[field], value))
  );
}

function isAsymmetric(value: unknown): value is { asymmetricMatch(value: unknown): boolean } {
  return (
    typeof value === "object" &&
    value !== null &&
    "asymmetricMatch" in value &&
    typeof value.asymmetricMatch === "function"
  );
}

function isMap(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function nearest(source: LogSource, expected: ExpectedRecord): string {
  const total = Object.keys(expected).length;
  const [best] = rowsOf(source)
    .map((record) => ({ record, wrong: differences(record, expected) }))
    .filter(({ wrong }) => wrong.length < total)
    .toSorted((a, b) => distance(a.wrong) - distance(b.wrong));
  if (best === undefined) return "";
  const { record, wrong } = best;
  const fields = record as unknown as Readonly<Record<string, unknown>>;
  const is = wrong.map((field) => `${field} is ${spelled(fields[field])}`).join(", ");
  return `nearest is ${record.seq}: ${is}\n`;
}

/** Another tool is another call. */
function distance(wrong: readonly string[]): number {
  return wrong.length + (wrong.includes("tool") ? 1 : 0);
}

function listed(source: LogSource): string {
  const rows = rowsOf(source);
  return rows.length === 0 ? "\nnothing is recorded" : `\nrecorded:\n${rows.map(line).join("\n")}`;
}

/** `3 guard.intent order_food deny scope_forbidden` */
function line({ seq, kind, tool, outcome, scope, verdict, reason }: Recorded): string {
  const words = [tool, outcome, scope, verdict, reason].filter((word) => typeof word === "string");
  return `  ${[seq, kind, ...words].join(" ")}`;
}

function spelled(value: unknown): string {
  return inspect(value, { breakLength: Infinity, depth: 4 });
}
