import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { AgentKeysError } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import { loadSettings } from "./config.ts";
import type { AuthorityConfig } from "./config-schema.ts";

const operator = `0x${"07e8a1".repeat(10)}07e8`;
const agent = `0x${"a0c701".repeat(10)}a0c7`;
const env = { VENDOR_TOKEN: "vendor-secret", OPERATOR_TOKEN: "operator-secret" };

const valid = `
vendors:
  magiclick: { token: env:VENDOR_TOKEN }
operators:
  "${operator}": { token: env:OPERATOR_TOKEN }
actors:
  "${agent}":
    operator: "${operator}"
    vendor: magiclick
    namespaces: [travel, profile]
    services: [openrouter]
    scopes:
      memory.read: allow
      web.search: deny
      payment.spend: { currency: RMB, per_call: 500, ask_above: 300 }
`;

function file(text: string, beside: Record<string, string> = {}): string {
  const directory = mkdtempSync(join(tmpdir(), "agentkeys-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, content] of Object.entries(beside)) {
    writeFileSync(join(directory, name), content);
  }
  const path = join(directory, "agentkeys.yaml");
  writeFileSync(path, text);
  return path;
}

function problems(config: string | AuthorityConfig, given: Record<string, string> = env) {
  try {
    loadSettings({ config, env: given });
  } catch (error) {
    if (!AgentKeysError.is(error, "config_invalid")) throw error;
    const told = error.data?.["problems"] as {
      source: string;
      line?: number;
      key: string;
      message: string;
    }[];
    return { message: error.message, told, at: told.map(({ line, key }) => [line, key]) };
  }
  return expect.unreachable("the configuration was accepted");
}

/** Problems of the valid file with one piece replaced: [line, key] each. */
function changed(piece: string, by: string): unknown {
  expect(valid).toContain(piece);
  return problems(file(valid.replace(piece, by))).at;
}

const inActor = (rest: string) => `actors.${agent}.${rest}`;

test("a file becomes settings", () => {
  expect(loadSettings({ config: file(valid), env })).toEqual({
    vendors: [{ name: "magiclick", token: "vendor-secret" }],
    operators: [{ omni: operator, token: "operator-secret" }],
    actors: new Map([
      [
        agent,
        {
          omni: agent,
          operator,
          vendor: "magiclick",
          namespaces: new Set(["travel", "profile"]),
          services: new Set(["openrouter"]),
          scopes: new Map<string, unknown>([
            ["memory.read", { effect: "allow" }],
            ["web.search", { effect: "deny" }],
            ["payment.spend", { currency: "RMB", per_call: 500n, ask_above: 300n }],
          ]),
        },
      ],
    ]),
    approvals: { ttl_seconds: 900 },
    defaults: { daily_spend_cap_rmb: 500n },
  });
});

test("names are kept in lower case, omnis need no quotes, everything but the operator is optional", () => {
  const upper = agent.toUpperCase().replace("0X", "0x");
  const text = `
operators:
  ${operator.toUpperCase().replace("0X", "0x")}: { token: env:OPERATOR_TOKEN }
actors:
  ${upper}: { operator: ${operator}, namespaces: [Travel], services: [OpenRouter] }
`;
  const { actors, vendors } = loadSettings({ config: file(text), env });
  expect(vendors).toEqual([]);
  expect(actors?.get(agent)).toEqual({
    omni: agent,
    operator,
    vendor: undefined,
    namespaces: new Set(["travel"]),
    services: new Set(["openrouter"]),
    scopes: new Map(),
  });
});

test("a secret may lie in a file beside the configuration", () => {
  const text = valid.replace("env:VENDOR_TOKEN", "file:vendor.txt");
  const { vendors } = loadSettings({ config: file(text, { "vendor.txt": "from-file\n" }), env });
  expect(vendors).toEqual([{ name: "magiclick", token: "from-file" }]);
});

test("an object is the same, and may hold a token as value:", () => {
  const config: AuthorityConfig = {
    vendors: { v: { token: "value:in-code" } },
    operators: { [operator]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [agent]: { operator, scopes: { "payment.spend": { currency: "RMB", per_call: 0 } } },
    },
  };
  const settings = loadSettings({ config, env });
  expect(settings.vendors).toEqual([{ name: "v", token: "in-code" }]);
  expect(settings.actors?.get(agent)?.scopes.get("payment.spend")).toEqual({
    currency: "RMB",
    per_call: 0n,
    ask_above: undefined,
  });
  const literal = problems({ ...config, vendors: { v: { token: "in-code" } } });
  expect(literal.told).toMatchObject([{ source: "config", key: "vendors.v.token" }]);
  expect(literal.message).not.toContain("in-code");
});

test("upstream's defaults are read from the environment besides", () => {
  const given = { ...env, MCP_DEFAULT_ACTOR: agent, MCP_VENDOR_TOKENS: "other:tok" };
  const settings = loadSettings({ config: file(valid), env: given });
  expect(settings.defaults.actor).toBe(agent);
  expect(settings.vendors.map(({ name }) => name)).toEqual(["magiclick"]);
});

test.each([
  ["token: env:VENDOR_TOKEN", "token: literal", [[3, "vendors.magiclick.token"]]],
  ["token: env:VENDOR_TOKEN", "token: value:literal", [[3, "vendors.magiclick.token"]]],
  ["token: env:VENDOR_TOKEN", "token: env:MISSING", [[3, "vendors.magiclick.token"]]],
  ["token: env:VENDOR_TOKEN", "token: file:missing", [[3, "vendors.magiclick.token"]]],
  ["token: env:VENDOR_TOKEN", "token: file:/", [[3, "vendors.magiclick.token"]]],
  ["token: env:VENDOR_TOKEN", "token: 12", [[3, "vendors.magiclick.token"]]],
  ["{ token: env:VENDOR_TOKEN }", "", [[3, "vendors.magiclick"]]],
  ["{ token: env:VENDOR_TOKEN }", "{}", [[3, "vendors.magiclick.token"]]],
  ["token: env:VENDOR_TOKEN", "token: env:OPERATOR_TOKEN", [[5, `operators.${operator}.token`]]],
  ["vendor: magiclick", "vendor: magiclik", [[9, inActor("vendor")]]],
  [`operator: "${operator}"`, `operator: "${agent}"`, [[8, inActor("operator")]]],
  [
    `operator: "${operator}"`,
    "operator: 0x07",
    [
      [8, inActor("operator")],
      [8, inActor("operator")],
    ],
  ],
  [`    operator: "${operator}"\n`, "", [[7, inActor("operator")]]],
  [`  "${agent}":`, `  "${agent.slice(0, -1)}":`, [[7, `actors.${agent.slice(0, -1)}`]]],
  ["namespaces: [travel, profile]", "namespaces: travel", [[10, inActor("namespaces")]]],
  ["namespaces: [travel, profile]", "namespaces: [travel, a/b]", [[10, inActor("namespaces.1")]]],
  [
    "namespaces: [travel, profile]",
    `namespaces: [${"é".repeat(29)}]`,
    [[10, inActor("namespaces.0")]],
  ],
  ["services: [openrouter]", "services: [openrouter, '..']", [[11, inActor("services.1")]]],
  ["memory.read: allow", "memory.read: yes", [[13, inActor('scopes["memory.read"]')]]],
  ["memory.read: allow", "memory.read: [allow]", [[13, inActor('scopes["memory.read"]')]]],
  ["memory.read: allow", "'a b': allow", [[13, inActor('scopes["a b"]')]]],
  ["currency: RMB, ", "", [[15, inActor('scopes["payment.spend"].currency')]]],
  ["currency: RMB", "currency: rmb", [[15, inActor('scopes["payment.spend"].currency')]]],
  ["per_call: 500", "per_call: 500.5", [[15, inActor('scopes["payment.spend"].per_call')]]],
  ["per_call: 500", "per_call: '500'", [[15, inActor('scopes["payment.spend"].per_call')]]],
  [
    "per_call: 500",
    "per_call: 9007199254740993",
    [[15, inActor('scopes["payment.spend"].per_call')]],
  ],
  ["ask_above: 300", "ask_above: -1", [[15, inActor('scopes["payment.spend"].ask_above')]]],
  ["ask_above: 300", "per_day: 300", [[15, inActor('scopes["payment.spend"].per_day')]]],
  ["    services:", "    servces:", [[11, inActor("servces")]]],
  ["vendors:", "extra: 1\nvendors:", [[2, "extra"]]],
  [
    "vendors:\n",
    "vendors: []\nx:\n",
    [
      [2, "vendors"],
      [3, "x"],
      [10, inActor("vendor")],
    ],
  ],
  ["    vendor: magiclick", "    vendor: magiclick\n    vendor: magiclick", [[10, ""]]],
  [
    "actors:\n",
    `actors:\n  ${agent.toUpperCase().replace("0X", "0x")}: { operator: "${operator}" }\n`,
    [[8, `actors.${agent}`]],
  ],
])("%j → %j is refused by line and key", (piece, by, at) => {
  expect(changed(piece, by)).toEqual(at);
});

test("what per_day waits for is said", () => {
  expect(problems(file(valid.replace("ask_above", "per_day"))).message).toContain("spend ledger");
});

test("all problems are told at once, in the order of the lines, with the file's name", () => {
  const text = valid
    .replace("env:VENDOR_TOKEN", "env:MISSING")
    .replace("vendor: magiclick", "vendor: nobody")
    .replace("per_call: 500", "per_call: -1, per_day: 2")
    .replace("memory.read: allow", "memory.read: maybe");
  const path = file(text);
  const { at, message } = problems(path);
  expect(at).toEqual([
    [3, "vendors.magiclick.token"],
    [9, inActor("vendor")],
    [13, inActor('scopes["memory.read"]')],
    [15, inActor('scopes["payment.spend"].per_call')],
    [15, inActor('scopes["payment.spend"].per_day')],
  ]);
  const lines = message.split("\n");
  expect(lines.length).toBe(5);
  expect(lines[0]).toMatch(/^.*agentkeys\.yaml:3: vendors\.magiclick\.token: .*MISSING/);
  for (const line of lines) expect(line.startsWith(`${path}:`)).toBe(true);
});

test.each([
  ["vendors:\n  a: { token: env:X\n  b: 1\n", 3],
  ["vendors:\n\tb: 1\n", 2],
  ["vendors: {}\nvendors: {}\n", 2],
  ["vendors: !secret x\n", 1],
  ["vendors: *nobody\n", 1],
  ["vendors: {}\n---\nactors: {}\n", 2],
])("YAML that is none or ambiguous is refused by line: %j", (text, line) => {
  const path = file(text);
  expect(problems(path).told[0]).toMatchObject({ source: path, line });
});

test("an error never quotes a secret", () => {
  const secret = "tok-7fd2a9";
  const texts = [
    valid.replace("env:VENDOR_TOKEN", secret),
    valid.replace("{ token: env:VENDOR_TOKEN }", `{ token: ${secret}`),
    valid.replace("{ token: env:VENDOR_TOKEN }", secret),
    valid.replace("env:VENDOR_TOKEN", `value:${secret}`),
  ];
  for (const text of texts) expect(JSON.stringify(problems(file(text)))).not.toContain(secret);
  const given = { ...env, VENDOR_TOKEN: `${secret} with a space` };
  expect(JSON.stringify(problems(file(valid), given))).not.toContain(secret);
});

test("aliases that multiply without end are refused", () => {
  const level = (n: number) =>
    `  l${n}: &l${n} [${Array(9)
      .fill(`*l${n - 1}`)
      .join(", ")}]\n`;
  const text = `x:\n  l0: &l0 [a]\n${[1, 2, 3, 4, 5, 6, 7, 8].map(level).join("")}`;
  expect(problems(file(text)).message).toContain("aliases");
});

test("an anchor may be shared", () => {
  const text = valid
    .replace("scopes:", "scopes: &shared")
    .concat(`  "${operator}": { operator: "${operator}", scopes: *shared }\n`);
  const { actors } = loadSettings({ config: file(text), env });
  expect(actors?.get(operator)?.scopes).toEqual(actors?.get(agent)?.scopes);
  const bad = text.replace("memory.read: allow", "memory.read: maybe");
  expect(problems(file(bad)).at[0]).toEqual([13, inActor('scopes["memory.read"]')]);
});

test("a file that is empty, a list, missing or a directory is refused", () => {
  for (const text of ["", "- a\n", "text\n", "# only a comment\n"]) {
    expect(problems(file(text)).told[0]?.line).toBeTypeOf("number");
  }
  expect(problems(join(tmpdir(), "nowhere", "agentkeys.yaml")).message).toContain("ENOENT");
  expect(problems(tmpdir()).message).toContain("EISDIR");
});

test("an empty secret is refused wherever it comes from", () => {
  expect(problems(file(valid), { ...env, VENDOR_TOKEN: " " }).at).toEqual([
    [3, "vendors.magiclick.token"],
  ]);
  const fromFile = file(valid.replace("env:VENDOR_TOKEN", "file:t"), { t: "\n" });
  expect(problems(fromFile).at).toEqual([[3, "vendors.magiclick.token"]]);
  expect(problems({ vendors: { v: { token: "value: " } } }).at).toEqual([
    [undefined, "vendors.v.token"],
  ]);
});
