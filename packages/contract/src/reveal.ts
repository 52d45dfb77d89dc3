import { hmacDigest, inputDigest } from "./digest.ts";
import type { JsonValue } from "./json.ts";

export interface RevealOptions {
  /** The key of the guard that wrote the digest, where it has one. Default: none, a plain digest. */
  readonly digestKey?: Uint8Array | undefined;
}

/**
 * Whether a record's `input_digest` is that of this input: who kept the input can show later what a digest stands for,
 * and nobody can show another one. Dates as ISO texts. Throws a TypeError or RangeError on what is not JSON.
 */
export function reveal(
  digest: string,
  input: JsonValue,
  { digestKey }: RevealOptions = {},
): boolean {
  const proven = digestKey === undefined ? inputDigest(input) : hmacDigest(digestKey, input);
  return proven === digest.toLowerCase();
}
