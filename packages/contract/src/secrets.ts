import { setOwn } from "./wire-value.ts";

/** Shorter values would take ordinary words out of ordinary texts. In characters. */
const shortest = 8;
/** A client that fetches more different credentials forgets the oldest. */
const mostValues = 1000;

/** Values that must not reach a model, a record or a log, taken out wherever they stand in clear. */
export interface Secrets {
  /** How many values are known; with none, scrubbing is free. */
  readonly size: number;
  /** Remembers a value under the name that stands in its place from now on. Fewer than 8 characters are not remembered. */
  learn(name: string, value: string): void;
  /**
   * Texts, arrays and plain objects with every known value replaced by `[secret:NAME]`, also where it stands in JSON,
   * in a URL or in base64. What holds none is given back as it is; objects of classes are not looked into.
   */
  scrub<T>(value: T): T;
  /** The same error, its message, stack, causes and errors scrubbed in place; one that cannot be changed becomes another one. */
  scrubError(error: unknown): unknown;
}

export function createSecrets(): Secrets {
  const names = new Map<string, string>();
  let forms = new Map<string, string>();
  let pattern: RegExp | undefined;

  const compile = (): RegExp => {
    forms = new Map();
    for (const [value, name] of names) {
      for (const form of formsOf(value)) forms.set(form, `[secret:${name}]`);
    }
    // The longest first: one value may begin with another.
    const texts = [...forms.keys()].toSorted((a, b) => b.length - a.length);
    return new RegExp(texts.map(escaped).join("|"), "g");
  };
  const replace = (text: string): string =>
    text.replace((pattern ??= compile()), (found) => forms.get(found) ?? found);

  return {
    get size() {
      return names.size;
    },
    learn(name, value) {
      if (value.length < shortest || names.get(value) === name) return;
      names.delete(value);
      names.set(value, name);
      const [oldest] = names.keys();
      if (names.size > mostValues && oldest !== undefined) names.delete(oldest);
      pattern = undefined;
    },
    scrub(value) {
      if (names.size === 0 || !holds(value, replace, new Set())) return value;
      return copied(value, replace, new Map()) as typeof value;
    },
    scrubError(error) {
      return names.size === 0 ? error : scrubbedError(error, replace, new Set());
    },
  };
}

type Replace = (text: string) => string;

/** The value, and how it is spelled inside other texts. */
function formsOf(value: string): ReadonlySet<string> {
  const wellFormed = value.replace(/[\ud800-\udfff]/gu, "\ufffd");
  const bytes = new TextEncoder().encode(value);
  const base64 = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
  const unpadded = base64.replace(/=+$/, "");
  return new Set([
    value,
    JSON.stringify(value).slice(1, -1),
    encodeURIComponent(wellFormed),
    unpadded,
    unpadded.replaceAll("+", "-").replaceAll("/", "_"),
  ]);
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, String.raw`\$&`);
}

function isPlain(value: unknown): value is object {
  if (typeof value !== "object" || value === null) return false;
  if (Array.isArray(value)) return true;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}

/** Own fields that are values; what is computed when it is read is nobody's to run. */
function fieldsOf(value: object): [string, unknown][] {
  return Object.entries(Object.getOwnPropertyDescriptors(value)).flatMap(([key, field]) =>
    field.enumerable === true && "value" in field ? [[key, field.value] as [string, unknown]] : [],
  );
}

function holds(value: unknown, replace: Replace, seen: Set<object>): boolean {
  if (typeof value === "string") return replace(value) !== value;
  if (!isPlain(value) || seen.has(value)) return false;
  seen.add(value);
  return fieldsOf(value).some(
    ([key, field]) => replace(key) !== key || holds(field, replace, seen),
  );
}

/** Cycles stay cycles. */
function copied(value: unknown, replace: Replace, made: Map<object, unknown>): unknown {
  if (typeof value === "string") return replace(value);
  if (!isPlain(value)) return value;
  const known = made.get(value);
  if (known !== undefined) return known;
  const target = (Array.isArray(value) ? [] : {}) as Record<string, unknown>;
  made.set(value, target);
  for (const [key, field] of fieldsOf(value)) {
    setOwn(target, replace(key), copied(field, replace, made));
  }
  return target;
}

function scrubbedError(error: unknown, replace: Replace, seen: Set<unknown>): unknown {
  if (!(error instanceof Error)) {
    return holds(error, replace, new Set()) ? copied(error, replace, new Map()) : error;
  }
  if (seen.has(error)) return error;
  seen.add(error);
  try {
    // A stack repeats the message.
    for (const field of ["message", "stack"] as const) {
      const text = error[field];
      if (typeof text === "string" && replace(text) !== text) error[field] = replace(text);
    }
    for (const [key, field] of fieldsOf(error)) {
      if (key === "message" || key === "stack") continue;
      const clean = scrubbedError(field, replace, seen);
      if (clean !== field) Object.assign(error, { [key]: clean });
    }
    const { errors } = error as AggregateError;
    if (Array.isArray(errors)) {
      for (const [i, one] of errors.entries()) errors[i] = scrubbedError(one, replace, seen);
    }
    const cause = scrubbedError(error.cause, replace, seen);
    if (cause !== error.cause) error.cause = cause;
    return error;
  } catch {
    const { name } = error;
    return Object.assign(new Error(replace(error.message)), { name });
  }
}
