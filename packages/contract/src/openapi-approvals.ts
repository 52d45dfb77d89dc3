import { answer, hash, json, object, omni, ref } from "./openapi-parts.ts";
import type { JsonSchema } from "./tool.ts";

const text: JsonSchema = { type: "string" };
const time: JsonSchema = { type: "integer", description: "Unix seconds" };
const optionalText = { type: ["string", "null"] };
const status = { enum: ["pending", "approved", "denied", "withdrawn", "expired"] };
const remember = object(
  {
    match: { enum: ["tool", "input"] },
    for: { enum: ["thread", "actor"] },
    ttl_seconds: { type: "integer", minimum: 1, maximum: 31_536_000 },
  },
  ["match", "for", "ttl_seconds"],
);
const decided = object(
  {
    outcome: status,
    approver: optionalText,
    by: text,
    reason: text,
    at: time,
    evidence: { type: "object" },
    remember,
  },
  ["outcome", "approver", "reason", "at"],
);

const digests = { input_digest: hash, text_digest: hash, digest: hash };
const bound = { id: text, actor: omni, operator_omni: omni, tool: text, scope: optionalText };

/** An approval, a remembered decision, and the body of a decision. */
export const approvalSchemas: JsonSchema = {
  approval: object(
    {
      ...bound,
      kind: { enum: ["guard", "review"] },
      params: { type: "object" },
      clear: { type: "object" },
      input: { description: "For the operator, while it is pending" },
      call_id: text,
      run_key: text,
      ...digests,
      text,
      policy_version: text,
      quorum: object(
        { approvers: { type: "array", items: text }, required: { type: "integer", minimum: 1 } },
        ["approvers", "required"],
      ),
      reason: text,
      explanation: text,
      status,
      created_at: time,
      expires_at: time,
      decided,
      executed_at: time,
    },
    [...Object.keys(bound), "params", "call_id", ...Object.keys(digests), "text", "status"],
  ),
  approval_rule: object(
    {
      ...bound,
      match: { enum: ["tool", "input"] },
      for: { enum: ["thread", "actor"] },
      input_digest: hash,
      thread: text,
      approval: text,
      approver: omni,
      by: text,
      reason: text,
      created_at: time,
      expires_at: time,
      revoked_at: time,
    },
    [...Object.keys(bound), "match", "for", "approval", "approver", "created_at", "expires_at"],
  ),
  approval_decision: object(
    {
      digest: { ...hash, description: "The approval's, as it was read" },
      reason: { type: "string", minLength: 1, maxLength: 1000 },
      by: { type: "string", maxLength: 200 },
      evidence: { type: "object" },
      remember,
    },
    ["digest", "reason"],
  ),
};

const security = [{ operator: [] }];
const eitherReader = [{ operator: [] }, { vendor: [], actor: [] }];
const query = (name: string, schema: JsonSchema): JsonSchema => ({ name, in: "query", schema });
const filters = ["actor", "tool", "call_id", "run_key", "input_digest"].map((name) =>
  query(name, text),
);
const named = (name: string): JsonSchema => ({ name, in: "path", required: true, schema: text });
const list = (name: string, of: string): JsonSchema =>
  object({ [name]: { type: "array", items: ref(of) } }, [name]);

function decision(word: string): JsonSchema {
  return {
    post: {
      summary: `${word}, once`,
      security,
      parameters: [named("id")],
      requestBody: { required: true, content: json(ref("approval_decision")) },
      responses: {
        200: answer(
          "Decided",
          object({ ok: { const: true }, approval: ref("approval"), envelope_hash: hash }, [
            "ok",
            "approval",
            "envelope_hash",
          ]),
        ),
        400: { description: "A field is missing or wrong" },
        403: { description: "An agent's token, or another operator's actor" },
        404: { description: "No such approval" },
        409: {
          description: "Another digest, decided before (the first decision is in `data`), expired",
        },
      },
    },
  };
}

/** Questions to people, over HTTP. */
export const approvalRoutes: JsonSchema = {
  "/v1/approvals": {
    get: {
      summary: "Approvals in the order of asking: an operator's actors', or the agent's own",
      security: eitherReader,
      parameters: [
        ...filters,
        query("status", status),
        query("after", { ...text, description: "Id of the last approval that was read" }),
        query("limit", { type: "integer", minimum: 1, maximum: 1000, default: 100 }),
      ],
      responses: { 200: answer("Approvals", list("approvals", "approval")) },
    },
  },
  "/v1/approvals/stream": {
    get: {
      summary: "Events: what is pending, `ready`, then every change; resumes after Last-Event-ID",
      security: eitherReader,
      parameters: [...filters, { name: "Last-Event-ID", in: "header", schema: text }],
      responses: { 200: { description: "Events", content: { "text/event-stream": {} } } },
    },
  },
  "/v1/approvals/{id}/approve": decision("Approve"),
  "/v1/approvals/{id}/deny": decision("Deny"),
  "/v1/rules": {
    get: {
      summary: "Remembered decisions that hold",
      security,
      responses: { 200: answer("Rules", list("rules", "approval_rule")) },
    },
  },
  "/v1/rules/{id}/revoke": {
    post: {
      summary: "Revoke a remembered decision",
      security,
      parameters: [named("id")],
      requestBody: { required: true, content: json(object({ reason: text }, ["reason"])) },
      responses: {
        200: answer(
          "Revoked; repeated: without a record of its own",
          object(
            {
              ok: { const: true },
              rule: ref("approval_rule"),
              envelope_hash: { type: ["string", "null"] },
            },
            ["ok", "rule"],
          ),
        ),
        403: { description: "An agent's token, or another operator's rule" },
        404: { description: "No such rule" },
      },
    },
  },
};
