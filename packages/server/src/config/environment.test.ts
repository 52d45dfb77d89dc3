import { AgentKeysError } from "@agentkeys/contract";
import { expect, test } from "vitest";
import { loadSettings } from "./config.ts";
import type { Environment } from "./environment.ts";

const omni = `0x${"07e8a1".repeat(10)}07E8`;
const settings = (env: Environment) => loadSettings({ config: undefined, env });

function refused(env: Environment): string[] {
  try {
    settings(env);
  } catch (error) {
    if (!AgentKeysError.is(error, "config_invalid")) throw error;
    const { problems } = error.data as { problems: { key: string }[] };
    return problems.map(({ key }) => key);
  }
  return [];
}

test("without variables nobody may speak and upstream's cap holds", () => {
  expect(settings({})).toEqual({
    vendors: [],
    operators: [],
    actors: undefined,
    approvals: { ttl_seconds: 900 },
    defaults: { daily_spend_cap_rmb: 500n },
  });
});

test("vendor tokens are read as upstream reads them", () => {
  const list = " magiclick : demo-tok ,, acme:a:b:c,acme:last ,";
  expect(settings({ MCP_VENDOR_TOKENS: list }).vendors).toEqual([
    { name: "magiclick", token: "demo-tok" },
    { name: "acme", token: "last" },
  ]);
});

test.each(["s3cr3t", "s3cr3t:", ":s3cr3t", "a:s3cr3t c", "ok:s3cr3t,broken"])(
  "vendor tokens %j are refused without being quoted",
  (list) => {
    expect(refused({ MCP_VENDOR_TOKENS: list })).toEqual(["MCP_VENDOR_TOKENS"]);
    expect(() => settings({ MCP_VENDOR_TOKENS: list })).not.toThrow("s3cr3t");
  },
);

test("defaults are taken as they are; an empty variable is an unset one", () => {
  const env = {
    MCP_DEFAULT_ACTOR: "anything",
    MCP_DEFAULT_OPERATOR_OMNI: omni,
    MCP_DEFAULT_DEVICE_KEY_HASH: "",
    MCP_DEFAULT_DAILY_SPEND_CAP_RMB: "18446744073709551615",
  };
  expect(settings(env).defaults).toEqual({
    actor: "anything",
    operator_omni: omni,
    device_key_hash: undefined,
    daily_spend_cap_rmb: 2n ** 64n - 1n,
  });
});

test.each(["-1", "5.5", "many", "18446744073709551616", "1e3"])("a cap of %s is refused", (cap) => {
  const name = "MCP_DEFAULT_DAILY_SPEND_CAP_RMB";
  expect(refused({ [name]: cap })).toEqual([name]);
});

test("the operator is the default operator, once its token is set", () => {
  const both = { MCP_DEFAULT_OPERATOR_OMNI: omni, AGENTKEYS_OPERATOR_TOKEN: " op-tok " };
  expect(settings(both).operators).toEqual([{ omni: omni.toLowerCase(), token: "op-tok" }]);
  expect(settings({ MCP_DEFAULT_OPERATOR_OMNI: omni }).operators).toEqual([]);
  expect(settings({ AGENTKEYS_OPERATOR_TOKEN: "op-tok" }).operators).toEqual([]);
});

test("an operator that records cannot name, or whose token a vendor has, is refused", () => {
  const token = { AGENTKEYS_OPERATOR_TOKEN: "op-tok" };
  expect(refused({ ...token, MCP_DEFAULT_OPERATOR_OMNI: "0x07" })).toEqual([
    "MCP_DEFAULT_OPERATOR_OMNI",
  ]);
  const shared = { ...token, MCP_DEFAULT_OPERATOR_OMNI: omni, MCP_VENDOR_TOKENS: "v:op-tok" };
  expect(refused(shared)).toEqual(["AGENTKEYS_OPERATOR_TOKEN"]);
});

test("all problems are told at once", () => {
  const env = { MCP_VENDOR_TOKENS: "x", MCP_DEFAULT_DAILY_SPEND_CAP_RMB: "y" };
  expect(refused(env).toSorted()).toEqual(Object.keys(env).toSorted());
});
