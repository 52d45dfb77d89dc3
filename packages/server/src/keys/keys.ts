import {
  createPrivateKey,
  createPublicKey,
  createSecretKey,
  generateKeyPairSync,
  hash,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from "node:crypto";
import { join } from "node:path";
import { AgentKeysError, capPayloadJson, type CapToken } from "@agentkeys/contract";
import { readOrMakeKeyFile } from "./key-files.ts";

/** The authority's own keys. */
export interface Keys {
  /** 256 bits; wraps the data keys of the vault. */
  readonly master: KeyObject;
  /** ES256 over the payload's JSON as `capPayloadJson` writes it: r and s, base64url, 86 characters. */
  signCap(payloadJson: string): string;
  /** Whether this authority signed the token; says nothing about expiry or revocation. */
  verifyCap(token: CapToken): boolean;
}

export interface KeyOptions {
  /** The data directory, whose `keys` folder is read and at first start filled; ":memory:" = random keys that end with the process. */
  readonly data: string;
  /** `AGENTKEYS_MASTER_KEY`, if set, is the master key: 64 hex digits, or 32 bytes in base64. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Told about key files that others can read. */
  readonly warn: (message: string) => void;
}

/** Throws `config_invalid` on a key that cannot be read or is none. */
export function loadKeys({ data, env, warn }: KeyOptions): Keys {
  const stored = (name: string, fresh: () => string): string =>
    data === ":memory:" ? fresh() : readOrMakeKeyFile(join(data, "keys", name), fresh, warn);
  const given = env["AGENTKEYS_MASTER_KEY"];
  const master =
    given === undefined || given === ""
      ? toMasterKey(
          stored("master.key", freshMasterKey),
          `key file ${join(data, "keys", "master.key")}`,
        )
      : toMasterKey(given, "AGENTKEYS_MASTER_KEY");
  const pem = stored("cap-signing.pem", freshSigningKey);
  return { master, ...toCapSigner(pem, join(data, "keys", "cap-signing.pem")) };
}

function freshMasterKey(): string {
  return `${randomBytes(32).toString("hex")}\n`;
}

function freshSigningKey(): string {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  return privateKey.export({ type: "pkcs8", format: "pem" }) as string;
}

/** `source` names where the text came from; the text itself never shows. */
function toMasterKey(text: string, source: string): KeyObject {
  const trimmed = text.trim();
  const bytes = /^[0-9a-fA-F]{64}$/.test(trimmed)
    ? Buffer.from(trimmed, "hex")
    : Buffer.from(/^[A-Za-z0-9+/_-]{43}=?$/.test(trimmed) ? trimmed : "", "base64");
  if (bytes.length === 32) return createSecretKey(bytes);
  const problem = "expected 32 bytes as 64 hex digits or in base64";
  throw new AgentKeysError("config_invalid", `${source}: ${problem}`);
}

function toCapSigner(pem: string, file: string): Pick<Keys, "signCap" | "verifyCap"> {
  const key = toSigningKey(pem, file);
  const publicKey = createPublicKey(key);
  const dsaEncoding = "ieee-p1363";
  return {
    // The digest is signed as if it were the message, so it is hashed twice: upstream's rule.
    signCap: (payloadJson) =>
      sign("sha256", hash("sha256", payloadJson, "buffer"), { key, dsaEncoding }).toString(
        "base64url",
      ),
    verifyCap: ({ payload, broker_sig }) => {
      if (!/^[A-Za-z0-9_-]{86}$/.test(broker_sig)) return false;
      const signature = Buffer.from(broker_sig, "base64url");
      const digest = hash("sha256", capPayloadJson(payload), "buffer");
      return verify("sha256", digest, { key: publicKey, dsaEncoding }, signature);
    },
  };
}

function toSigningKey(pem: string, file: string): KeyObject {
  try {
    const key = createPrivateKey(pem);
    if (key.asymmetricKeyDetails?.namedCurve === "prime256v1") return key;
  } catch {
    // Told below; the cause could quote the file.
  }
  throw new AgentKeysError(
    "config_invalid",
    `key file ${file}: expected a P-256 private key in PEM`,
  );
}
