import { copyInput } from "./copy-input.ts";

/** Longest result that an authority keeps, in bytes of its JSON. */
const maxBytes = 256 * 1024;

/** A result as it may be given again, null for none at all; undefined = not plain JSON, or too long. */
export function keptResult(result: unknown): unknown {
  if (result === undefined) return null;
  try {
    const { value, json } = copyInput(result);
    // With a date in it, it would come back as another value.
    if (value !== json) return undefined;
    const { length } = JSON.stringify(json);
    const bytes = length * 3 <= maxBytes ? length : byteLength(JSON.stringify(json));
    return bytes <= maxBytes ? json : undefined;
  } catch {
    return undefined;
  }
}

function byteLength(text: string): number {
  return new TextEncoder().encode(text).length;
}
