import { AgentKeysError } from "@agentkeys/contract";

/** Levels of arrays and objects below the first. A message may have 127 in all, and puts two around it. A cycle nests for ever. */
const maxDepth = 124;
/** Values in one input. Few references can spell out a tree that fills the memory. */
const maxValues = 1_000_000;
/** Half a character: no digest has it and no message carries it. */
const half = /\p{Surrogate}/u;

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
    return { value, json: walk.dates ? datesAsText(value) : value };
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
  if (half.test(text)) throw refused(walk, "has half a character");
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
  for (const key of Reflect.ownKeys(source)) {
    const field = Reflect.getOwnPropertyDescriptor(source, key);
    if (field?.enumerable === false) continue;
    walk.path.push(key);
    const value = valueOf(field, walk);
    if (typeof key === "symbol") throw refused(walk, "is named by a symbol");
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
    target.push(copy(valueOf(Reflect.getOwnPropertyDescriptor(source, i), walk), walk));
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

function valueOf(field: PropertyDescriptor | undefined, walk: Walk): unknown {
  if (field !== undefined && "value" in field) return field.value;
  throw refused(walk, "is computed when it is read");
}

/** `Object.prototype` of another realm. */
function isForeignPlain(prototype: object): boolean {
  return Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf");
}

function setOwn(target: Record<PropertyKey, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(target, key, property);
  }
}

/** On a copy of ours, so nothing can be surprising here. */
function datesAsText(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Date) return value.toISOString();
  if (Array.isArray(value)) return value.map(datesAsText);
  const text: Record<string, unknown> = {};
  for (const [key, field] of Object.entries(value)) setOwn(text, key, datesAsText(field));
  return text;
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
