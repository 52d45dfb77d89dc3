import { createPublicKey, randomBytes } from "node:crypto";
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type CapPayload, capPayloadJson, verifyCap } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import { loadKeys } from "./keys.ts";

function scratch(): string {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-keys-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

const silent = (message: string): void => expect.unreachable(message);
const load = (data: string, env: Record<string, string> = {}, warn = silent) =>
  loadKeys({ data, env, warn });
const masterOf = (data: string, env: Record<string, string> = {}) =>
  load(data, env).master.export().toString("hex");

const payload: CapPayload = {
  operator_omni: `0x${"07".repeat(32)}`,
  actor_omni: `0x${"a0".repeat(32)}`,
  service: "memory:travel",
  op: "fetch",
  data_class: "memory",
  device_key_hash: `0x${"de".repeat(32)}`,
  k3_epoch: 1,
  issued_at: 1_700_000_000,
  expires_at: 1_700_000_300,
  nonce: "0123456789abcdef0123456789abcdef",
};

test("keys are made at the first start and the same ever after", () => {
  const data = scratch();
  const first = load(data);
  expect(readdirSync(join(data, "keys")).toSorted()).toEqual(["cap-signing.pem", "master.key"]);
  const second = load(data);
  expect(second.master.equals(first.master)).toBe(true);
  const broker_sig = first.signCap(capPayloadJson(payload));
  expect(second.verifyCap({ payload, broker_sig })).toBe(true);
  expect(load(scratch()).master.equals(first.master)).toBe(false);
});

test("in memory every start has its own keys", () => {
  expect(masterOf(":memory:")).not.toBe(masterOf(":memory:"));
  expect(existsSync(":memory:")).toBe(false);
});

test("AGENTKEYS_MASTER_KEY is taken as hex or base64, and no key file is made then", () => {
  const data = scratch();
  const bytes = randomBytes(32);
  for (const text of [
    bytes.toString("hex"),
    bytes.toString("hex").toUpperCase(),
    bytes.toString("base64"),
    bytes.toString("base64url"),
    ` ${bytes.toString("hex")}\n`,
  ]) {
    expect(masterOf(data, { AGENTKEYS_MASTER_KEY: text })).toBe(bytes.toString("hex"));
  }
  expect(readdirSync(join(data, "keys"))).toEqual(["cap-signing.pem"]);
  expect(masterOf(data, { AGENTKEYS_MASTER_KEY: "" })).not.toBe(bytes.toString("hex"));
});

test.each(["short", "g".repeat(64), "a".repeat(63), "a".repeat(42), "a".repeat(44)])(
  "a master key %j is refused by its source and never told",
  (bad) => {
    const invalid = expect.objectContaining({ code: "config_invalid" }) as Error;
    const data = scratch();
    const fromEnv = () => load(data, { AGENTKEYS_MASTER_KEY: bad });
    expect(fromEnv).toThrow(invalid);
    expect(fromEnv).toThrow("AGENTKEYS_MASTER_KEY");
    expect(fromEnv).not.toThrow(bad);
    mkdirSync(join(data, "keys"));
    writeFileSync(join(data, "keys", "master.key"), bad, { mode: 0o600 });
    expect(() => load(data)).toThrow(invalid);
    expect(() => load(data)).toThrow(join(data, "keys", "master.key"));
    expect(() => load(data)).not.toThrow(bad);
  },
);

test("a signing key that is none, or of another curve, is refused by its file", () => {
  const data = scratch();
  load(data);
  const file = join(data, "keys", "cap-signing.pem");
  const ed25519 = "MC4CAQAwBQYDK2VwBCIEIJ1hsZ3v/VpguoRK9JLsLMREScVpezJpGXA7rAMcrn9g";
  for (const text of [
    "",
    "garbage",
    `-----BEGIN PRIVATE KEY-----\n${ed25519}\n-----END PRIVATE KEY-----\n`,
  ]) {
    writeFileSync(file, text);
    expect(() => load(data)).toThrow(expect.objectContaining({ code: "config_invalid" }));
    expect(() => load(data)).toThrow(file);
  }
});

test("a key file that cannot be read or made is refused by name", () => {
  const data = scratch();
  mkdirSync(join(data, "keys", "master.key"), { recursive: true });
  expect(() => load(data)).toThrow(join(data, "keys", "master.key"));
  const blocked = scratch();
  writeFileSync(join(blocked, "keys"), "");
  expect(() => load(blocked)).toThrow(expect.objectContaining({ code: "config_invalid" }));
});

test.skipIf(process.platform === "win32")("key files are private, and others are warned of", () => {
  const data = scratch();
  load(data);
  const modes = ["keys", "keys/master.key", "keys/cap-signing.pem"].map(
    (name) => statSync(join(data, name)).mode & 0o777,
  );
  expect(modes).toEqual([0o700, 0o600, 0o600]);
  chmodSync(join(data, "keys", "master.key"), 0o644);
  const warnings: string[] = [];
  load(data, {}, (message) => warnings.push(message));
  expect(warnings).toEqual([expect.stringMatching(/master\.key has mode 644/)]);
});

test("a cap is signed by upstream's rule: the contract's verifier accepts it", () => {
  const data = scratch();
  const keys = load(data);
  const token = { payload, broker_sig: keys.signCap(capPayloadJson(payload)) };
  const pem = readFileSync(join(data, "keys", "cap-signing.pem"), "utf8");
  const publicPem = createPublicKey(pem).export({ type: "spki", format: "pem" }).toString();
  expect(token.broker_sig).toMatch(/^[A-Za-z0-9_-]{86}$/);
  expect(verifyCap(token, publicPem)).toBe(true);
});

test("a cap with any other content, signature or signer is refused", () => {
  const keys = load(":memory:");
  const broker_sig = keys.signCap(capPayloadJson(payload));
  expect(keys.verifyCap({ payload, broker_sig })).toBe(true);
  for (const [field, value] of Object.entries(payload)) {
    const other = { ...payload, [field]: typeof value === "number" ? value + 1 : `${value}0` };
    expect(keys.verifyCap({ payload: other, broker_sig })).toBe(false);
  }
  for (const bad of [
    "",
    "in-memory-signature",
    broker_sig.slice(1),
    `${broker_sig}A`,
    "A".repeat(86),
  ]) {
    expect(keys.verifyCap({ payload, broker_sig: bad })).toBe(false);
  }
  expect(load(":memory:").verifyCap({ payload, broker_sig })).toBe(false);
});
