import { AgentKeysError, inputDigest, type JsonValue } from "@agentkeys/contract";
import { copyInput } from "./copy-input.ts";
import { isRecord } from "../json/is-record.ts";

/** What a tool says of itself: an entry of MCP's `tools/list`, or a tool object of a framework. */
export interface ToolDefinition {
  /** As the model sees it. */
  name: string;
  description?: string | undefined;
  /** JSON Schema, or a schema object that can say what it is in JSON Schema. */
  inputSchema: unknown;
}

/**
 * Digest of what a model is told about a tool: name, description and JSON Schema of the input, whatever the order of its keys.
 * A framework adds to a schema what it needs, so the same tool has another fingerprint in another framework. Rejects with
 * `config_invalid` where there is no JSON Schema to be had.
 */
export async function toolFingerprint(tool: ToolDefinition): Promise<string> {
  const { name, description = "", inputSchema } = tool;
  const schema = await schemaOf(inputSchema, name);
  return inputDigest(copyInput({ name, description, schema }).json as JsonValue);
}

/** Definition of a framework's tool object; each framework has a field of its own for the schema. */
export function definitionOf(name: string, tool: object): ToolDefinition {
  const fields = tool as Readonly<Record<string, unknown>>;
  const { description, inputSchema, schema, parameters } = fields;
  return {
    name,
    description: typeof description === "string" ? description : undefined,
    inputSchema: inputSchema ?? schema ?? parameters,
  };
}

async function schemaOf(given: unknown, tool: string): Promise<unknown> {
  try {
    const json = await jsonSchemaOf(given);
    if (isRecord(json)) return copyInput(json).json;
  } catch {
    // Whatever it was: nobody could tell when it changes.
  }
  throw new AgentKeysError("config_invalid", `no JSON Schema for the input of ${tool}`);
}

/** The AI SDK keeps it in `jsonSchema`; zod and Mastra tell it through Standard Schema. */
function jsonSchemaOf(given: unknown): unknown {
  const { jsonSchema, "~standard": standard } = Object(given) as SchemaObject;
  if (jsonSchema !== undefined) return jsonSchema;
  if (standard === undefined) return given;
  return standard.jsonSchema?.input({ target: "draft-2020-12" });
}

interface SchemaObject {
  readonly jsonSchema?: unknown;
  readonly "~standard"?: {
    readonly jsonSchema?: { input(options: { target: "draft-2020-12" }): unknown };
  };
}
