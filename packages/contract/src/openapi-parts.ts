import type { JsonSchema } from "./tool.ts";

// What the OpenAPI document is built of.

export const ref = (name: string): JsonSchema => ({ $ref: `#/components/schemas/${name}` });
export const json = (schema: JsonSchema): JsonSchema => ({ "application/json": { schema } });
export const answer = (description: string, schema: JsonSchema): JsonSchema => ({
  description,
  content: json(schema),
});
export const hash: JsonSchema = { type: "string", pattern: "^0x[0-9a-f]{64}$" };
export const omni: JsonSchema = { type: "string", pattern: "^0x[0-9a-fA-F]{64}$" };
export const object = (properties: JsonSchema, required: readonly string[]): JsonSchema => ({
  type: "object",
  properties,
  required,
});
