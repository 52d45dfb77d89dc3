import { describe, expect, test } from "vitest";
import { modelInput, toJsonSchema } from "./tool.ts";
import { toolList } from "./tool-list.ts";
import { modelTools, toolKey, tools } from "./tools.ts";
import type { ToolKey } from "./tools.ts";

const text = { type: "string" };
/** What upstream's server advertises, descriptions left out. */
const advertised = {
  "agentkeys.identity.whoami": { type: "object", properties: { actor: text } },
  "agentkeys.memory.get": {
    type: "object",
    properties: { namespace: text },
    required: ["namespace"],
  },
  "agentkeys.memory.put": {
    type: "object",
    properties: { namespace: text, content: text },
    required: ["namespace", "content"],
  },
  "agentkeys.permission.check": {
    type: "object",
    properties: { scope: text, params: { type: "object", additionalProperties: true } },
    required: ["scope", "params"],
  },
  "agentkeys.cap.mint": {
    type: "object",
    properties: {
      op: { type: "string", enum: ["cred_store", "cred_fetch", "memory_put", "memory_get"] },
      params: { type: "object", properties: { service: text } },
      ttl: { type: "integer", default: 300 },
    },
    required: ["op"],
  },
  "agentkeys.cap.revoke": { type: "object", properties: { cap_id: text }, required: ["cap_id"] },
  "agentkeys.audit.append": {
    type: "object",
    properties: {
      actor: text,
      event: {
        type: "object",
        properties: {
          operator_omni: text,
          op_kind: { type: "integer" },
          op_body: { type: "object", additionalProperties: true },
          result: { type: "integer", enum: [0, 1, 2] },
          intent_text: text,
        },
        required: ["operator_omni", "op_kind", "result"],
      },
    },
    required: ["actor", "event"],
  },
};

const bare = (value: unknown): unknown =>
  JSON.parse(
    JSON.stringify(value, (key, v: unknown) =>
      key === "description" && typeof v === "string" ? undefined : v,
    ),
  );

test("the v1 list is upstream's: seven tools, in order, with their schemas", () => {
  const listed = toolList("v1");
  expect(listed.map(({ name }) => name)).toEqual(Object.keys(advertised));
  expect(Object.fromEntries(listed.map((t) => [t.name, bare(t.inputSchema)]))).toEqual(advertised);
});

test("no tool that a model sees can return a credential", () => {
  for (const surface of ["v1", "default"] as const) {
    for (const key of modelTools(surface)) expect(tools[key].id).not.toMatch(/^agentkeys\.cred\./);
  }
  expect(tools.cred_fetch.audience).toBe("program");
  expect(tools.cred_store.audience).toBe("program");
});

describe.each(Object.keys(tools) as ToolKey[])("%s", (key) => {
  const row = tools[key];

  test("has a model-safe key that spells its wire name", () => {
    expect(key).toMatch(/^[a-zA-Z0-9_-]{1,64}$/);
    expect(row.id).toBe(`agentkeys.${key.replace("_", ".")}`);
    expect(toolKey(row.id)).toBe(key);
  });

  test("asks a model for no ambient field, and drops one that it sends", () => {
    const schema = modelInput(row);
    const json = JSON.stringify(toJsonSchema(schema));
    for (const path of row.ambient) {
      expect(json).not.toContain(`"${path.split(".").at(-1)}":`);
    }
  });
});

test("an ambient field in a model's input is stripped, at any depth", () => {
  expect(modelInput(tools.memory_get).parse({ namespace: "n", actor: "0xevil" })).toEqual({
    namespace: "n",
  });
  expect(
    modelInput(tools.cap_mint).parse({
      op: "memory_get",
      params: { service: "s", operator_omni: "0xevil" },
    }),
  ).toEqual({ op: "memory_get", params: { service: "s" }, ttl: 300 });
  expect(
    modelInput(tools.audit_append).parse({
      actor: "0xevil",
      event: { operator_omni: "0xevil", op_kind: 1, result: 0 },
    }),
  ).toEqual({ event: { op_kind: 1, result: 0 } });
});
