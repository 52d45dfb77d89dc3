import { errorTable } from "./errors.ts";
import { toJsonSchema } from "./tool.ts";
import { approvalRoutes, approvalSchemas } from "./openapi-approvals.ts";
import { answer, hash, json, object, omni, ref } from "./openapi-parts.ts";
import type { JsonSchema } from "./tool.ts";
import { tools } from "./tools.ts";

function toolSchemas(): JsonSchema {
  const schemas: Record<string, JsonSchema> = {};
  for (const [key, row] of Object.entries(tools)) {
    if (row.status.default === "absent") continue;
    schemas[`${key}_input`] = { title: row.title, ...toJsonSchema(row.input) };
    schemas[`${key}_output`] = toJsonSchema(row.output);
  }
  return schemas;
}

const toolCall: JsonSchema = {
  oneOf: Object.entries(tools).map(([key, row]) =>
    object({ name: { const: row.id }, arguments: ref(`${key}_input`) }, ["name"]),
  ),
};

const routes: JsonSchema = {
  "/mcp": {
    post: {
      summary: "Model Context Protocol: initialize, ping, tools/list, tools/call",
      security: [{ vendor: [], actor: [] }],
      requestBody: { required: true, content: json(ref("json_rpc_request")) },
      responses: {
        200: answer("Result or JSON-RPC error", ref("json_rpc_response")),
        401: answer("The bearer is missing or unknown", ref("json_rpc_response")),
        403: answer("The actor header is missing", ref("json_rpc_response")),
      },
    },
  },
  "/healthz": {
    get: {
      summary: "Liveness",
      responses: {
        200: answer(
          "Alive",
          object({ name: { type: "string" }, ok: { const: true } }, ["name", "ok"]),
        ),
      },
    },
  },
  "/readyz": {
    get: {
      summary: "Readiness: the log can be written",
      responses: { 200: { description: "Ready" }, 503: { description: "Not ready" } },
    },
  },
  "/metrics": {
    get: { summary: "Prometheus metrics", responses: { 200: { description: "Text format" } } },
  },
  "/v1/audit/append/v2": {
    post: {
      summary: "Append an audit envelope; answered when durable",
      security: [{ vendor: [], actor: [] }],
      requestBody: { required: true, content: json(ref("audit_envelope")) },
      responses: {
        200: answer(
          "Stored",
          object({ ok: { const: true }, envelope_hash: hash }, ["ok", "envelope_hash"]),
        ),
        400: { description: "A field is wrong; plain text" },
        403: { description: "Another actor, or a record that only the guard may write" },
        422: { description: "The shape is wrong" },
      },
    },
  },
  "/v1/audit/envelope/{hash}": {
    get: {
      summary: "The canonical bytes of an envelope",
      security: [{ operator: [] }],
      parameters: [{ name: "hash", in: "path", required: true, schema: hash }],
      responses: {
        200: { description: "CBOR", content: { "application/cbor": {} } },
        404: answer(
          "Unknown",
          object({ error: { const: "envelope_not_found" }, message: { type: "string" } }, [
            "error",
          ]),
        ),
      },
    },
  },
  "/v1/audit/stream": {
    get: {
      summary: "The log as it grows, as server-sent events; resumes after Last-Event-ID",
      security: [{ operator: [] }],
      parameters: [{ name: "Last-Event-ID", in: "header", schema: { type: "string" } }],
      responses: { 200: { description: "Events", content: { "text/event-stream": {} } } },
    },
  },
  "/v1/actors/{omni}/revoke": {
    post: {
      summary: "Revoke an agent: its very next call is refused",
      security: [{ operator: [] }],
      parameters: [{ name: "omni", in: "path", required: true, schema: omni }],
      requestBody: { content: json(object({ reason: { type: "string" } }, [])) },
      responses: {
        200: answer(
          "Revoked",
          object(
            {
              ok: { const: true },
              actor: omni,
              revoked_at: { type: "integer" },
              envelope_hash: hash,
            },
            ["ok", "actor", "revoked_at", "envelope_hash"],
          ),
        ),
        401: { description: "No operator token is configured, or it is another" },
        403: { description: "An agent's token, or another operator's actor" },
      },
    },
  },
};

const shared: JsonSchema = {
  json_rpc_request: object(
    {
      jsonrpc: { const: "2.0" },
      id: {},
      method: {
        enum: [
          "initialize",
          "ping",
          "tools/list",
          "tools/call",
          "guard/begin",
          "guard/end",
          "guard/approvals",
          "guard/withdraw",
          "guard/forget",
        ],
      },
      params: { type: "object" },
    },
    ["jsonrpc", "method"],
  ),
  tool_call: toolCall,
  json_rpc_response: object(
    { jsonrpc: { const: "2.0" }, result: {}, error: ref("json_rpc_error"), id: {} },
    ["jsonrpc"],
  ),
  json_rpc_error: object(
    {
      code: {
        enum: [...new Set(Object.values(errorTable).flatMap(({ jsonrpc }) => jsonrpc ?? []))],
      },
      message: { type: "string" },
      data: {},
    },
    ["code", "message"],
  ),
  audit_envelope: object(
    {
      version: { const: 1 },
      ts_unix: { type: "integer", minimum: 0 },
      actor_omni: omni,
      operator_omni: omni,
      op_kind: { type: "integer", minimum: 0, maximum: 255 },
      op_body: {},
      result: { enum: [0, 1, 2] },
      intent_text: { type: ["string", "null"] },
      intent_commitment: { type: ["string", "null"] },
    },
    ["version", "actor_omni", "operator_omni", "op_kind", "op_body", "result"],
  ),
};

const bearer = { type: "http", scheme: "bearer" };

/** OpenAPI 3.1 of the authority's default surface. */
export function openApi(): JsonSchema {
  return {
    openapi: "3.1.0",
    info: {
      title: "AgentKeys authority",
      version: "1",
      license: { name: "Apache-2.0", identifier: "Apache-2.0" },
    },
    servers: [{ url: "http://127.0.0.1:8088" }],
    paths: { ...routes, ...approvalRoutes },
    components: {
      schemas: { ...shared, ...approvalSchemas, ...toolSchemas() },
      securitySchemes: {
        vendor: bearer,
        operator: bearer,
        actor: { type: "apiKey", in: "header", name: "X-AgentKeys-Actor" },
      },
    },
  };
}
