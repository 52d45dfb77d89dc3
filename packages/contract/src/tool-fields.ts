import { z } from "zod";
import { CapToken } from "./cap.ts";

// Fields and statuses that several rows of the tool table share.

export const actor = z.string().describe("Actor omni, 0x + 64 hex digits.");
export const operatorOmni = z.string().describe("Operator omni, 0x + 64 hex digits.");
export const deviceKeyHash = z.string().describe("Hash of the device key, 0x + 64 hex digits.");
const ttlSeconds = z.int().describe("Lifetime of the capability in seconds; default 300.");
export const anyObject = z.record(z.string(), z.unknown());
const identity = ["actor", "operator_omni", "device_key_hash"] as const;

export const active = { v1: "active", default: "active" } as const;
export const schemaOnly = { v1: "schema_only", default: "schema_only" } as const;

const namespace = z
  .string()
  .describe("Topic of the note, for example travel, family or profile. Trips belong to travel.");

export const memoryAccess = {
  actor,
  namespace,
  operator_omni: operatorOmni,
  device_key_hash: deviceKeyHash,
  service: z.string().optional(),
  ttl_seconds: ttlSeconds.optional(),
  cap: CapToken.optional().describe("A capability to use instead of minting one."),
};
export const memoryAmbient = [...identity, "service", "ttl_seconds", "cap"] as const;

export const credentialAccess = {
  service: z.string().describe("Name of the service, for example openrouter."),
  actor,
  operator_omni: operatorOmni.optional(),
  device_key_hash: deviceKeyHash,
  ttl_seconds: ttlSeconds.optional(),
  cap: CapToken.optional(),
};
export const credentialAmbient = [...identity, "ttl_seconds", "cap"] as const;

export const stored = z.object({
  ok: z.boolean(),
  s3_key: z.string().optional(),
  envelope_size: z.number().optional().describe("Size of the stored ciphertext in bytes."),
});
