import { randomBytes } from "node:crypto";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { AgentKeysError, createClient } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { dataDirectory } from "../data-directory.ts";
import { interrupted, parseListen } from "../listening.ts";

interface DevFlags {
  listen: string;
  data: string;
  json?: true;
}

interface DevTokens {
  vendor: string;
  operator: string;
}

/** Upstream's demo identities. */
const demo = {
  actor: "0xa0c701a0c701a0c701a0c701a0c701a0c701a0c701a0c701a0c701a0c701a0c7",
  operator: "0x07e8a107e8a107e8a107e8a107e8a107e8a107e8a107e8a107e8a107e8a107e8",
  deviceKeyHash: "0xdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeefdeadbeef",
};

const notes = {
  travel: "Chengdu trip — Apr 12 to 16, hotpot at Yulin.",
  profile: "Allergic to shellfish. Prefers windowed flights.",
  family: "Wife's bday Aug 3 (gift idea: hiking boots).",
};

/** What the demo agent may do: `family` is a note of its operator that it may not read. */
const namespaces = ["travel", "profile"];

function config(allowed: readonly string[]) {
  return {
    vendors: { magiclick: { token: "env:VENDOR" } },
    operators: { [demo.operator]: { token: "env:OPERATOR" } },
    actors: {
      [demo.actor]: {
        operator: demo.operator,
        vendor: "magiclick",
        namespaces: [...allowed],
        services: ["openrouter"],
        scopes: {
          "memory.read": "allow",
          "memory.write": "allow",
          "web.search": "allow",
          "cred.read": "allow",
          "payment.spend": { currency: "RMB", per_call: 500, ask_above: 300 },
        },
      },
    },
  };
}

/** Made at the first start and kept, readable by the owner alone. */
function keptTokens(file: string): DevTokens | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as DevTokens;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    const text = `${file} cannot be read; delete it and the folder to start afresh`;
    throw new AgentKeysError("config_invalid", text, { cause: error });
  }
}

const freshToken = (): string => randomBytes(24).toString("base64url");

/** Seeds first and keeps the tokens last, so that a start cut short is made again. */
async function devTokens(data: string): Promise<DevTokens> {
  const file = join(data, "dev-tokens.json");
  const kept = keptTokens(file);
  if (kept !== undefined) return kept;
  const tokens = { vendor: freshToken(), operator: freshToken() };
  await seed(data, tokens);
  writeFileSync(file, `${JSON.stringify(tokens)}\n`, { mode: 0o600 });
  return tokens;
}

const environment = ({ vendor, operator }: DevTokens) => ({ VENDOR: vendor, OPERATOR: operator });

async function seed(data: string, tokens: DevTokens): Promise<void> {
  const everything = await createAuthority({
    data,
    config: config(Object.keys(notes)),
    env: environment(tokens),
  });
  try {
    const client = createClient({ fetch: everything.fetch, token: tokens.vendor, ...demo });
    for (const [namespace, content] of Object.entries(notes)) {
      await client.memory.put({ namespace, content });
    }
  } finally {
    await everything.close();
  }
}

export async function dev(flags: DevFlags): Promise<void> {
  const address = parseListen(flags.listen);
  const data = dataDirectory(flags.data);
  const stopped = interrupted();
  const tokens = await devTokens(data);
  const { vendor, operator } = tokens;
  const authority = await createAuthority({
    data,
    config: config(namespaces),
    env: environment(tokens),
  });
  try {
    const { url } = await authority.listen(address);
    const agent = {
      AGENTKEYS_MCP_URL: url,
      AGENTKEYS_MCP_VENDOR_TOKEN: vendor,
      AGENTKEYS_ACTOR_OMNI: demo.actor,
      AGENTKEYS_OPERATOR_OMNI: demo.operator,
      AGENTKEYS_DEVICE_KEY_HASH: demo.deviceKeyHash,
    };
    const people = { AGENTKEYS_MCP_URL: url, AGENTKEYS_OPERATOR_TOKEN: operator };
    process.stdout.write(
      flags.json ? `${JSON.stringify({ url, agent, operator: people })}\n` : page(agent, people),
    );
    await stopped;
  } finally {
    await authority.close();
  }
}

function page(agent: Record<string, string>, operator: Record<string, string>): string {
  const lines = (variables: Record<string, string>): string =>
    Object.entries(variables)
      .map(([name, value]) => `export ${name}=${value}\n`)
      .join("");
  return `# The agent's shell:\n${lines(agent)}\n# The operator's, in another shell:\n${lines(operator)}\n# Ctrl-C stops the authority.\n`;
}
