import { z } from "zod";
import { CapToken } from "./cap.ts";
import { defineTool, modelInput, toJsonSchema } from "./tool.ts";
import {
  active,
  actor,
  anyObject,
  credentialAccess,
  credentialAmbient,
  deviceKeyHash,
  memoryAccess,
  memoryAmbient,
  operatorOmni,
  schemaOnly,
  stored,
} from "./tool-fields.ts";
import type { JsonSchema, Surface, ToolRow } from "./tool.ts";

/** Every operation of AgentKeys, once. The key is the model-facing name without its prefix. */
export const tools = {
  identity_whoami: defineTool({
    id: "agentkeys.identity.whoami",
    title: "Who am I",
    description: "Returns the identity this agent acts under: its omni, display name and scopes.",
    input: z.object({ actor: actor.optional() }),
    ambient: ["actor"],
    output: z.looseObject({
      omni: z.string(),
      display_name: z.string(),
      vendor: z.string(),
      scopes: z.array(z.string()),
    }),
    scope: null,
    readOnly: true,
    destructive: false,
    audience: "model",
    status: active,
    v1Schema: "input",
  }),
  memory_get: defineTool({
    id: "agentkeys.memory.get",
    title: "Recall a note",
    description:
      "Recalls what the user asked to have remembered about one topic. Use it before answering questions about past or planned trips, family, preferences or allergies. Empty content means that there is nothing to tell.",
    input: z.object(memoryAccess),
    ambient: memoryAmbient,
    output: z.object({
      ok: z.boolean(),
      namespace: z.string(),
      namespace_violation: z.boolean().optional(),
      content: z.string(),
    }),
    scope: "memory.read",
    readOnly: true,
    destructive: false,
    audience: "model",
    status: active,
    v1Schema: "model",
  }),
  memory_put: defineTool({
    id: "agentkeys.memory.put",
    title: "Remember a note",
    description:
      "Saves a note that the user wants remembered, under one topic. It replaces the topic's earlier note.",
    input: z.object({ ...memoryAccess, content: z.string().describe("The note, in plain words.") }),
    ambient: memoryAmbient,
    output: stored.extend({
      namespace: z.string(),
      namespace_violation: z.boolean().optional(),
      reason: z.string().optional(),
    }),
    scope: "memory.write",
    readOnly: false,
    destructive: true,
    audience: "model",
    status: active,
    v1Schema: "model",
  }),
  permission_check: defineTool({
    id: "agentkeys.permission.check",
    title: "Check a permission",
    description:
      "Asks whether an action is allowed before it is tried, for example payment.spend with the amount. On deny, tell the user the reason and do not try the action.",
    input: z.object({
      actor,
      scope: z.string().describe("Kind of action, for example payment.spend or memory.read."),
      params: anyObject
        .optional()
        .describe("Facts about the action; for payment.spend {amount_rmb: <whole number>}."),
    }),
    ambient: ["actor"],
    output: z.object({
      verdict: z.string().describe("accept, deny or ask_parent."),
      scope: z.string(),
      reason: z.string(),
      explanation: z.string(),
    }),
    scope: null,
    readOnly: true,
    destructive: false,
    audience: "model",
    status: active,
    v1Schema: {
      type: "object",
      properties: {
        scope: { type: "string" },
        params: { type: "object", additionalProperties: true },
      },
      required: ["scope", "params"],
    },
  }),
  cap_mint: defineTool({
    id: "agentkeys.cap.mint",
    title: "Mint a capability",
    description:
      "Mints a short-lived capability token for one operation. Memory tools mint their own; ask for one only when a tool needs a raw token.",
    input: z.object({
      actor,
      op: z.enum(["cred_store", "cred_fetch", "memory_put", "memory_get"]),
      params: z
        .object({
          operator_omni: operatorOmni,
          service: z.string().optional(),
          device_key_hash: deviceKeyHash,
        })
        .optional(),
      ttl: z.int().default(300),
    }),
    ambient: ["actor", "params.operator_omni", "params.device_key_hash"],
    output: z.object({
      ok: z.boolean(),
      op: z.string(),
      data_class: z.string(),
      cap: CapToken,
      ttl_seconds: z.number(),
    }),
    scope: "by_op",
    readOnly: false,
    destructive: false,
    audience: "model",
    status: active,
    v1Schema: "model",
  }),
  cap_revoke: defineTool({
    id: "agentkeys.cap.revoke",
    title: "Revoke a capability",
    description: "Revokes one of this agent's capability tokens by its id.",
    input: z.object({ cap_id: z.string().describe("The nonce in the capability's payload.") }),
    ambient: [],
    output: z.object({ ok: z.boolean(), revocation: z.string(), note: z.string() }),
    scope: null,
    readOnly: false,
    destructive: true,
    audience: "model",
    status: active,
    v1Schema: "model",
  }),
  audit_append: defineTool({
    id: "agentkeys.audit.append",
    title: "Write an audit record",
    description: "Appends one record to the tamper-evident audit log and returns its hash.",
    input: z.object({
      actor,
      event: z.object({
        operator_omni: operatorOmni,
        op_kind: z.int().describe("Operation kind, one byte."),
        op_body: anyObject.optional(),
        result: z.literal([0, 1, 2]).describe("0 success, 1 failure, 2 not permitted."),
        intent_text: z.string().optional(),
      }),
    }),
    ambient: ["actor", "event.operator_omni"],
    output: z.object({ ok: z.boolean(), envelope_hash: z.string() }),
    scope: null,
    readOnly: false,
    destructive: false,
    audience: "model",
    status: active,
    v1Schema: "input",
  }),
  delegation_grant: defineTool({
    id: "agentkeys.delegation.grant",
    title: "Delegate a scope",
    description: "Lends part of one actor's scope to another for a time.",
    input: z.object({
      delegator: z.string(),
      delegate: z.string(),
      scope: z.string(),
      ttl: z.int().optional().describe("Seconds."),
    }),
    ambient: [],
    output: anyObject,
    scope: null,
    readOnly: false,
    destructive: false,
    audience: "program",
    status: schemaOnly,
    v1Schema: "input",
  }),
  delegation_revoke: defineTool({
    id: "agentkeys.delegation.revoke",
    title: "End a delegation",
    description: "Takes a delegated scope back.",
    input: z.object({ delegation_id: z.string() }),
    ambient: [],
    output: anyObject,
    scope: null,
    readOnly: false,
    destructive: true,
    audience: "program",
    status: schemaOnly,
    v1Schema: "input",
  }),
  approval_request: defineTool({
    id: "agentkeys.approval.request",
    title: "Ask for approval",
    description:
      "Asks a person for an opinion on an action and returns at once. The answer lets nothing run by itself.",
    input: z.object({ actor, scope: z.string(), params: anyObject.optional() }),
    ambient: ["actor"],
    output: z.object({
      ok: z.boolean(),
      approval: z.looseObject({
        id: z.string(),
        status: z.string().describe("pending, approved, denied, withdrawn or expired."),
        digest: z.string(),
        text: z.string(),
        expires_at: z.number().describe("Unix seconds."),
      }),
    }),
    scope: null,
    readOnly: false,
    destructive: false,
    audience: "named",
    status: { v1: "schema_only", default: "active" },
    v1Schema: "input",
  }),
  cred_store: defineTool({
    id: "agentkeys.cred.store",
    title: "Store a credential",
    description: "Stores a credential for a service in the vault. For programs only.",
    input: z.object({ ...credentialAccess, content: z.string() }),
    ambient: credentialAmbient,
    output: stored.extend({ service: z.string() }),
    scope: "cred.write",
    readOnly: false,
    destructive: true,
    audience: "program",
    status: { v1: "absent", default: "active" },
    v1Schema: "input",
  }),
  cred_fetch: defineTool({
    id: "agentkeys.cred.fetch",
    title: "Fetch a credential",
    description: "Fetches a credential for a service from the vault. For programs only.",
    input: z.object(credentialAccess),
    ambient: credentialAmbient,
    output: z.object({ ok: z.boolean(), service: z.string(), content: z.string() }),
    scope: "cred.read",
    readOnly: true,
    destructive: false,
    audience: "program",
    status: { v1: "absent", default: "active" },
    v1Schema: "input",
  }),
};

export type Tools = typeof tools;
export type ToolKey = keyof Tools;

const byId: ReadonlyMap<string, ToolKey> = new Map(
  (Object.keys(tools) as ToolKey[]).map((key) => [tools[key].id, key]),
);

/** The table's key for a wire name, or undefined. */
export function toolKey(id: string): ToolKey | undefined {
  return byId.get(id);
}

/** Keys of the operations that a surface lists to a model, in the table's order. */
export function modelTools(surface: Surface): ToolKey[] {
  return (Object.keys(tools) as ToolKey[]).filter(
    (key) => tools[key].audience === "model" && tools[key].status[surface] === "active",
  );
}

/** The JSON Schema that a surface advertises for a tool. */
export function advertisedSchema(row: ToolRow, surface: Surface): JsonSchema {
  if (surface === "default" || row.v1Schema === "model") return toJsonSchema(modelInput(row));
  return row.v1Schema === "input" ? toJsonSchema(row.input) : row.v1Schema;
}

/** Default prefix of the names that models see. */
export const modelPrefix = "agentkeys_";
