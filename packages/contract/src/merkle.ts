import { concatBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";

const LEAF = Uint8Array.of(0);
const NODE = Uint8Array.of(1);

/**
 * Upstream's keccak Merkle root over 32-byte leaves (envelope hashes). Pairs are sorted, an odd
 * last node is paired with itself, no leaves give 32 zero bytes.
 */
export function merkleRoot(leaves: readonly Uint8Array[]): Uint8Array {
  let level = leaves.map((leaf) => keccak256(concatBytes(LEAF, leaf)));
  while (level.length > 1) {
    const parents: Uint8Array[] = [];
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i] as Uint8Array;
      parents.push(merkleNode(left, level[i + 1] ?? left));
    }
    level = parents;
  }
  return level[0] ?? new Uint8Array(32);
}

/** The parent of two nodes, in either order. */
export function merkleNode(a: Uint8Array, b: Uint8Array): Uint8Array {
  return isGreater(a, b) ? keccak256(concatBytes(NODE, b, a)) : keccak256(concatBytes(NODE, a, b));
}

function isGreater(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < 32; i++) {
    const difference = (a[i] as number) - (b[i] as number);
    if (difference !== 0) return difference > 0;
  }
  return false;
}

/** A uint256, `0x` and 64 hex digits, with bit k set for each op_kind k. */
export function opKindBitmap(kinds: Iterable<number>): string {
  let bits = 0n;
  for (const kind of kinds) bits |= 1n << BigInt(kind & 0xff);
  return `0x${bits.toString(16).padStart(64, "0")}`;
}

/** What the audit worker's first version hashed. All bytes are 32 long. */
export interface V1Event {
  actor_omni: Uint8Array;
  service_hash: Uint8Array;
  op_type: number;
  payload_hash: Uint8Array;
  /** Seconds since 1970. */
  timestamp: number;
}

export function v1Leaf(event: V1Event): Uint8Array {
  const { actor_omni, service_hash, op_type, payload_hash, timestamp } = event;
  return keccak256(
    concatBytes(actor_omni, service_hash, word(op_type), payload_hash, word(timestamp)),
  );
}

/** A 32-byte big-endian integer. */
function word(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  new DataView(bytes.buffer).setBigUint64(24, BigInt(value));
  return bytes;
}
