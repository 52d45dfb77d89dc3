import { keccak_256 } from "@noble/hashes/sha3.js";
import { createKeccak } from "hash-wasm";

type Hash = (bytes: Uint8Array) => Uint8Array;

let hash: Hash | undefined;

/**
 * Keccak-256 with the original padding (Ethereum's), not NIST SHA3-256. 32 bytes. The first call has a WebAssembly module
 * compiled in the background, about six times as fast; until it is there, and where a platform forbids it, JavaScript answers.
 */
export function keccak256(bytes: Uint8Array): Uint8Array {
  if (hash === undefined) {
    hash = keccak_256;
    void accelerate();
  }
  return hash(bytes);
}

async function accelerate(): Promise<void> {
  try {
    const hasher = await createKeccak(256);
    hash = (data) => hasher.init().update(data).digest("binary");
  } catch {
    // No WebAssembly here, or a policy against it.
  }
}
