export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** Maps become objects with sorted keys, bytes arrays of numbers. */
export function toJson(value: unknown): Json {
  if (typeof value === "bigint") return Number(value);
  if (value instanceof Map) return toObject([...value].toSorted(([a], [b]) => (a < b ? -1 : 1)));
  if (value instanceof Uint8Array) return [...value];
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value === "object" && value !== null) return toObject(Object.entries(value));
  return value as Json;
}

function toObject(entries: readonly (readonly [string, unknown])[]): Json {
  return Object.fromEntries(entries.map(([key, field]) => [key, toJson(field)]));
}
