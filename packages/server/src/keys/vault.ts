import {
  createCipheriv,
  createDecipheriv,
  createHmac,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from "node:crypto";
import { AgentKeysError } from "@agentkeys/contract";
import type { Store } from "../store/store.ts";

const kinds = ["memory", "credential", "approval", "approval-input", "result"] as const;

/** Which secret a ciphertext is; it opens under this address only. */
export interface Address {
  /** Operator of a credential, actor of everything else: an omni, any case, `0x` optional. */
  readonly owner: string;
  readonly kind: (typeof kinds)[number];
  /** Namespace, service, id of an approval, begin_id of a result. */
  readonly name: string;
}

/** Secrets at rest: AES-256-GCM, a random data key per owner, a sub-key of it per kind. */
export interface Vault {
  /** `0x02 ‖ nonce(12) ‖ ciphertext ‖ tag(16)`: 29 bytes more than the UTF-8 text. */
  seal(text: string, address: Address): Promise<Uint8Array>;
  /** Rejects with `backend_error` when the bytes were altered or sealed under another address. */
  open(sealed: Uint8Array, address: Address): Promise<string>;
}

type SubKeys = Readonly<Record<Address["kind"], KeyObject>>;

/** Version bytes: of upstream's envelope, and of a wrapped data key. */
const ENVELOPE = 2;
const WRAPPED = 1;
const NONCE_SIZE = 12;
const TAG_SIZE = 16;
const OVERHEAD = 1 + NONCE_SIZE + TAG_SIZE;
const KEY_ID_SIZE = 4;
/** Owners whose unwrapped keys are kept. */
const CACHED_OWNERS = 1000;
/** Owner of a data key that seals nothing: that it unwraps proves the master key at start. */
const AUTHORITY = "authority";

/** Rejects with `config_invalid` when the stored data belongs to another master key. */
export async function openVault(
  store: Pick<Store, "actorKey">,
  masterKey: KeyObject,
): Promise<Vault> {
  const keyId = createHmac("sha256", masterKey)
    .update("agentkeys.master-key-id.v1")
    .digest()
    .subarray(0, KEY_ID_SIZE);
  const fetchKey = async (owner: string): Promise<SubKeys> => {
    const wrapAad = `agentkeys.data-key.v1|${owner}`;
    const wrapped = await store.actorKey(owner, () => {
      const sealed = encrypt(masterKey, randomBytes(32), { version: WRAPPED, aad: wrapAad });
      return Buffer.concat([keyId, sealed]);
    });
    if (!keyId.equals(wrapped.subarray(0, KEY_ID_SIZE))) throw wrongMasterKey();
    const body = wrapped.subarray(KEY_ID_SIZE);
    return toSubKeys(decrypt(masterKey, body, { version: WRAPPED, aad: wrapAad }));
  };
  await fetchKey(AUTHORITY);
  const keys = cached(fetchKey);

  return {
    async seal(text, address) {
      const { owner, aad } = toAad(address);
      const key = (await keys(owner))[address.kind];
      return encrypt(key, Buffer.from(text), { version: ENVELOPE, aad });
    },
    async open(sealed, address) {
      const { owner, aad } = toAad(address);
      const key = (await keys(owner))[address.kind];
      return decrypt(key, sealed, { version: ENVELOPE, aad }).toString();
    },
  };
}

function toAad({ owner, kind, name }: Address): { owner: string; aad: string } {
  const id = owner.toLowerCase().replace(/^0x/, "");
  const service = kind === "credential" ? name : `${kind}:${name}`;
  return { owner: id, aad: `agentkeys.cred.aad.v2|${id}|${service}` };
}

function toSubKeys(dataKey: Buffer): SubKeys {
  const derive = (kind: string) =>
    createSecretKey(Buffer.from(hkdfSync("sha256", dataKey, "", `agentkeys.vault.v1|${kind}`, 32)));
  const keys = Object.fromEntries(kinds.map((kind) => [kind, derive(kind)])) as SubKeys;
  dataKey.fill(0);
  return keys;
}

/** The latest owners' keys. A failed fetch is not kept. */
function cached(fetch: (owner: string) => Promise<SubKeys>): (owner: string) => Promise<SubKeys> {
  const known = new Map<string, Promise<SubKeys>>();
  return (owner) => {
    const hit = known.get(owner);
    const keys = hit ?? fetch(owner);
    // A Map iterates in order of insertion: the first one is the one that was used longest ago.
    known.delete(owner);
    known.set(owner, keys);
    if (known.size > CACHED_OWNERS) known.delete(known.keys().next().value ?? "");
    if (hit === undefined) keys.catch(() => known.delete(owner));
    return keys;
  };
}

interface Layout {
  readonly version: number;
  readonly aad: string;
}

function encrypt(key: KeyObject, plain: Uint8Array, { version, aad }: Layout): Buffer {
  const nonce = randomBytes(NONCE_SIZE);
  const cipher = createCipheriv("aes-256-gcm", key, nonce).setAAD(Buffer.from(aad));
  const body = [cipher.update(plain), cipher.final()];
  return Buffer.concat([Buffer.of(version), nonce, ...body, cipher.getAuthTag()]);
}

function decrypt(key: KeyObject, sealed: Uint8Array, { version, aad }: Layout): Buffer {
  if (sealed.length < OVERHEAD || sealed[0] !== version) throw notAuthentic();
  const nonce = sealed.subarray(1, 1 + NONCE_SIZE);
  const tag = sealed.subarray(sealed.length - TAG_SIZE);
  const decipher = createDecipheriv("aes-256-gcm", key, nonce, { authTagLength: TAG_SIZE });
  decipher.setAAD(Buffer.from(aad)).setAuthTag(tag);
  const body = sealed.subarray(1 + NONCE_SIZE, sealed.length - TAG_SIZE);
  try {
    return Buffer.concat([decipher.update(body), decipher.final()]);
  } catch {
    throw notAuthentic();
  }
}

function notAuthentic(): AgentKeysError {
  return new AgentKeysError("backend_error", "backend vault failed: stored value is not authentic");
}

function wrongMasterKey(): AgentKeysError {
  return new AgentKeysError(
    "config_invalid",
    "the master key is not the one that the stored data was encrypted with: restore it in AGENTKEYS_MASTER_KEY or keys/master.key of the data directory",
  );
}
