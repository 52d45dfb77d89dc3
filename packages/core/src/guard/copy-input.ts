import { AgentKeysError } from "@agentkeys/contract";
import { setOwn } from "../json/set-own.ts";
import { isWellFormed } from "../json/well-formed.ts";

/** Levels of arrays and objects below the first. A message may have 127 in all, and puts two around it. A cycle nests for ever. */
const maxDepth = 124;
/** Values in one input. Few references can spell out a tree that fills the memory. */
const maxValues = 1_000_000;

interface Walk {
  /** Where it stands, for the message. */
  readonly path: PropertyKey[];
  values: number;
  dates: boolean;
}

export interface InputCopy {
  /** Nobody else holds it. */
  readonly value: unknown;
  /** The same as JSON, with dates as ISO texts: what is digested and recorded. */
  readonly json: unknown;
}

/**
 * A deep copy of plain data, made by looking at each property once: plain objects, arrays, strings, finite numbers, booleans,
 * null, dates; a field that is undefined is left out. Anything else throws `input_not_copyable`, because a copy that loses
 * something would be decided on as less than it is. No input at all counts as `{}`.
 */
export function copyInput(input: unknown): InputCopy {
  if (input === undefined) return { value: {}, json: {} };
  const walk: Walk = { path: [], values: 0, dates: false };
  try {
    const value = copy(input, walk);
    return { value, json: walk.dates ? rebuilt(value, toText) : value };
  } catch (error) {
    if (AgentKeysError.is(error, "input_not_copyable")) throw error;
    // A trap of a proxy. Its message may quote the input.
    throw refused(walk, "cannot be read");
  }
}

function copy(value: unknown, walk: Walk): unknown {
  if (++walk.values > maxValues) throw refused(walk, `has more than ${maxValues} values`);
  if (typeof value === "string") return copyText(value, walk);
  if (typeof value === "boolean" || value === null) return value;
  if (typeof value === "number" && Number.isFinite(value)) return value;
  if (typeof value === "object") return copyObject(value, walk);
  throw refused(walk, typeof value === "number" ? `is ${value}` : `is of type ${typeof value}`);
}

function copyText(text: string, walk: Walk): string {
  if (!isWellFormed(text)) throw refused(walk, "has half a character");
  return text;
}

function copyObject(value: object, walk: Walk): unknown {
  if (walk.path.length > maxDepth) throw refused(walk, "nests too deeply, or contains itself");
  const prototype: unknown = Object.getPrototypeOf(value);
  if (Array.isArray(value)) return copyItems(value, walk);
  if (prototype === Object.prototype || prototype === null) return copyFields(value, walk);
  if (prototype === Date.prototype) return copyDate(value as Date, walk);
  if (isForeignPlain(prototype as object)) return copyFields(value, walk);
  throw refused(walk, "is an instance of a class");
}

function copyFields(source: object, walk: Walk): object {
  const target: Record<PropertyKey, unknown> = {};
  for (const key of Object.getOwnPropertySymbols(source)) {
    if (!isEnumerable.call(source, key)) continue;
    walk.path.push(key);
    throw refused(walk, "is named by a symbol");
  }
  for (const key of Object.keys(source)) {
    walk.path.push(key);
    const value = valueOf(source, key, walk);
    if (value !== undefined) setOwn(target, copyText(key, walk), copy(value, walk));
    walk.path.pop();
  }
  return target;
}

function copyItems(source: readonly unknown[], walk: Walk): unknown[] {
  // The prototype of an ordinary array, of any realm, is itself an array.
  if (!Array.isArray(Object.getPrototypeOf(source)))
    throw refused(walk, "is an instance of a class");
  const { length } = source;
  if (Reflect.ownKeys(source).length !== length + 1)
    throw refused(walk, "has holes or named fields");
  const target: unknown[] = [];
  for (let i = 0; i < length; i++) {
    walk.path.push(i);
    target.push(copy(valueOf(source, i, walk), walk));
    walk.path.pop();
  }
  return target;
}

function copyDate(value: Date, walk: Walk): Date {
  const time = Date.prototype.getTime.call(value);
  if (Number.isNaN(time) || Reflect.ownKeys(value).length > 0)
    throw refused(walk, "is no plain date");
  walk.dates = true;
  return new Date(time);
}

const { propertyIsEnumerable: isEnumerable } = Object.prototype;
/** Tells a getter from a value without making a descriptor of either, which costs more than the copy. */
const { __lookupGetter__: getterOf } = Object.prototype as unknown as {
  __lookupGetter__(this: object, key: PropertyKey): (() => unknown) | undefined;
};

/** Reads once: what else a proxy would answer is nowhere. */
function valueOf(source: object, key: string | number, walk: Walk): unknown {
  if (getterOf.call(source, key) === undefined)
    return (source as Record<PropertyKey, unknown>)[key];
  throw refused(walk, "is computed when it is read");
}

/** `Object.prototype` of another realm. */
function isForeignPlain(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

/** Another copy of what `copyInput` gave, in which nothing can be surprising. */
export function copyAgain(copied: unknown): unknown {
  return rebuilt(copied, toDate);
}

const toText = (date: Date): string => date.toISOString();
const toDate = (date: Date): Date => new Date(date);

function rebuilt(value: unknown, ofDate: (date: Date) => unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return ofDate(value);
  if (Array.isArray(value)) return value.map((item) => rebuilt(item, ofDate));
  const target: Record<string, unknown> = {};
  const source = value as Record<string, unknown>;
  for (const key of Object.keys(source)) setOwn(target, key, rebuilt(source[key], ofDate));
  return target;
}

/** Names come from the input. JSON, so that half a character is well-formed text. */
function spelled(name: string | symbol): string {
  return JSON.stringify(String(name).slice(0, 32)).slice(1, -1);
}

function refused({ path }: Walk, problem: string): AgentKeysError {
  const where = path
    .slice(0, 8)
    .map((key) => (typeof key === "number" ? `[${key}]` : `.${spelled(key)}`));
  return new AgentKeysError("input_not_copyable", `input${where.join("")} ${problem}`);
}
