import { secp256k1 } from "@noble/curves/secp256k1.js";
import { bytesToHex0x, concatBytes, hexToBytes, sha256, utf8ToBytes } from "./bytes.ts";
import { keccak256 } from "./keccak.ts";

/**
 * An actor's identifier, 64 hex digits without `0x`. An `evm` address is lower-cased. `clientId` is
 * the broker's own setting; every stack that does not change it has the default `agentkeys`.
 */
export function omni(identityType: string, identityValue: string, clientId = "agentkeys"): string {
  const value = identityType === "evm" ? identityValue.toLowerCase() : identityValue;
  return bare(bytesToHex0x(sha256(utf8ToBytes(clientId + identityType + value))));
}

/**
 * The identifier of an agent below `parentOmni`, 64 hex digits without `0x`. Throws an Error with
 * upstream's text on a bad label.
 */
export function childOmni(parentOmni: string, label: string): string {
  const problem = labelProblem(label);
  if (problem !== undefined) throw new Error(problem);
  const parent = hexToBytes(bare(parentOmni));
  return bare(
    bytesToHex0x(
      sha256(concatBytes(utf8ToBytes("agentkeys-hdkd-v1"), parent, utf8ToBytes(`//${label}`))),
    ),
  );
}

function labelProblem(label: string): string | undefined {
  const { length } = utf8ToBytes(label);
  if (length < 1 || length > 32) return `label must be 1..=32 chars, got ${length}`;
  return /^[a-z0-9-]+$/.test(label) ? undefined : `label must match ^[a-z0-9-]+$: ${label}`;
}

/** Upstream's text for a field that is not `0x` and 64 hex digits, undefined for one that is. */
export function hex32Problem(field: string, value: string): string | undefined {
  if (!value.startsWith("0x")) return `${field} must start with 0x`;
  const { length } = utf8ToBytes(value);
  if (length !== 66) return `${field} must be 66 chars (0x + 64 hex), got ${length}`;
  return /^0x[0-9a-fA-F]{64}$/.test(value) ? undefined : `${field} contains non-hex chars`;
}

/**
 * keccak256 of a device's address (20 bytes of hex), or of a master's omni (32 bytes of hex). `0x`
 * and 64 hex digits.
 */
export function deviceKeyHash(addressOrOmni: string): string {
  return bytesToHex0x(keccak256(hexToBytes(bare(addressOrOmni))));
}

/** keccak256 of the lower-case service name. `0x` and 64 hex digits. */
export function serviceHash(service: string): string {
  return bytesToHex0x(keccak256(utf8ToBytes(service.trim().toLowerCase())));
}

/** Lower case, without blanks around and without `0x`. */
function bare(hex: string): string {
  return hex.trim().toLowerCase().replace(/^0x/, "");
}

/**
 * The 32 bytes that the device with this `device_key_hash` signs to prove that it holds its key.
 */
export function agentPopPayload(keyHash: string): Uint8Array {
  return keccak256(utf8ToBytes(`agentkeys-agent-pop:0x${bare(keyHash)}`));
}

export interface CapPop {
  operator_omni: string;
  actor_omni: string;
  service: string;
  /** As in the cap payload: `store`, `fetch`, … */
  op: string;
  data_class: string;
  client_nonce: string;
  /** Seconds since 1970. */
  client_ts: number;
}

/**
 * The 32 bytes that a device signs when it asks for a capability. Case and `0x` of the omnis make
 * no difference.
 */
export function capPopPayload(pop: CapPop): Uint8Array {
  const parts = [
    "agentkeys-cap-pop:v1",
    bare(pop.operator_omni),
    bare(pop.actor_omni),
    bare(serviceHash(pop.service)),
    pop.op,
    pop.data_class,
    pop.client_nonce,
    pop.client_ts,
  ];
  return keccak256(utf8ToBytes(parts.join(":")));
}

export interface Delegation {
  /** Of the device that delegates. */
  device_key_hash: string;
  /** Address of the sandbox's key. */
  sandbox_pubkey: string;
  /** Scope tokens, separated by blanks. */
  scope: string;
  /** Seconds since 1970. */
  expires_at: number;
}

/** The 32 bytes that a device signs to let a sandbox's key act within a scope. */
export function delegationPayload(delegation: Delegation): Uint8Array {
  const scope = delegation.scope.toLowerCase().split(/\s+/).filter(Boolean).join(" ");
  const parts = [
    "agentkeys-delegation:v1",
    bare(delegation.device_key_hash),
    bare(delegation.sandbox_pubkey),
    bare(bytesToHex0x(keccak256(utf8ToBytes(scope)))),
    delegation.expires_at,
  ];
  return keccak256(utf8ToBytes(parts.join(":")));
}

/** The Ethereum address of a secp256k1 key of 32 bytes: `0x` and 40 lower-case hex digits. */
export function addressOf(privateKey: Uint8Array): string {
  return addressOfPublicKey(secp256k1.getPublicKey(privateKey, false));
}

function addressOfPublicKey(uncompressed: Uint8Array): string {
  return bytesToHex0x(keccak256(uncompressed.subarray(1)).subarray(12));
}

/**
 * EIP-191 signature of 32 bytes: r, s and v (27 or 28) as `0x` and 130 hex digits. Deterministic,
 * low s.
 */
export function signEip191(privateKey: Uint8Array, payload: Uint8Array): string {
  const signature = secp256k1.sign(eip191Hash(payload), privateKey, {
    prehash: false,
    format: "recovered",
  });
  return bytesToHex0x(
    concatBytes(signature.subarray(1), Uint8Array.of(27 + (signature[0] as number))),
  );
}

/**
 * The address that signed the payload, or undefined where the signature is malformed or recovers
 * nothing.
 */
export function recoverEip191(payload: Uint8Array, signature: string): string | undefined {
  if (!/^0x[0-9a-fA-F]{128}1[bcBC]$/.test(signature)) return undefined;
  const bytes = hexToBytes(signature);
  const recovered = concatBytes(Uint8Array.of((bytes[64] as number) - 27), bytes.subarray(0, 64));
  try {
    const key = secp256k1.recoverPublicKey(recovered, eip191Hash(payload), { prehash: false });
    return addressOfPublicKey(secp256k1.Point.fromBytes(key).toBytes(false));
  } catch {
    return undefined;
  }
}

function eip191Hash(payload: Uint8Array): Uint8Array {
  if (payload.length !== 32) throw new RangeError("payload: not 32 bytes");
  return keccak256(concatBytes(utf8ToBytes("\x19Ethereum Signed Message:\n32"), payload));
}
