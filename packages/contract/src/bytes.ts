import { sha256 as nobleSha256 } from "@noble/hashes/sha2.js";
import {
  bytesToHex,
  concatBytes,
  hexToBytes as nobleHexToBytes,
  utf8ToBytes,
} from "@noble/hashes/utils.js";

export { concatBytes, utf8ToBytes };

const HEX = /^(?:[0-9a-fA-F]{2})*$/;

/**
 * Bytes of a hex text, with or without a leading `0x`. Throws a SyntaxError that never quotes the
 * text (it may be a key).
 */
export function hexToBytes(hex: string): Uint8Array {
  const digits = hex.startsWith("0x") ? hex.slice(2) : hex;
  if (!HEX.test(digits)) throw new SyntaxError("invalid hex");
  return nobleHexToBytes(digits);
}

/** `0x` and two lower-case digits per byte. */
export function bytesToHex0x(bytes: Uint8Array): string {
  return `0x${bytesToHex(bytes)}`;
}

export function sha256(bytes: Uint8Array): Uint8Array {
  return nobleSha256(bytes);
}
