import {
  Client as ClientV2,
  StreamableHTTPClientTransport as HttpV2,
} from "@modelcontextprotocol/client";
import { StdioClientTransport as StdioV2 } from "@modelcontextprotocol/client/stdio";
import { Client as ClientV1 } from "@modelcontextprotocol/sdk/client/index.js";
import { StdioClientTransport as StdioV1 } from "@modelcontextprotocol/sdk/client/stdio.js";
import { StreamableHTTPClientTransport as HttpV1 } from "@modelcontextprotocol/sdk/client/streamableHttp.js";
import { describe, expect, test } from "vitest";
import { actor, device, open, operator } from "./testdata/harness.test-kit.ts";
import { serveArguments } from "./testdata/process.test-kit.ts";

const info = { name: "test", version: "1" };
const names = [
  "identity.whoami",
  "memory.get",
  "memory.put",
  "permission.check",
  "cap.mint",
  "cap.revoke",
  "audit.append",
];
const requestInit = { headers: { authorization: "Bearer demo-tok", "x-agentkeys-actor": actor } };
const identity = {
  MCP_DEFAULT_ACTOR: actor,
  MCP_DEFAULT_OPERATOR_OMNI: operator,
  MCP_DEFAULT_DEVICE_KEY_HASH: device,
};
const env = {
  PATH: process.env["PATH"] ?? "",
  MCP_VENDOR_TOKENS: "magiclick:demo-tok",
  ...identity,
};

async function url(surface: "v1" | "default"): Promise<URL> {
  const { authority } = await open({ bare: true, surface, env });
  return new URL((await authority.listen()).url);
}

function program(surface: "v1" | "default") {
  return {
    command: process.execPath,
    args: serveArguments({ surface, transport: "stdio" }),
    env,
    stderr: "inherit" as const,
  };
}

/** What both generations of the official client have in common. */
interface Connected {
  listTools(): Promise<{ tools: { name: string }[] }>;
  callTool(call: { name: string; arguments: Record<string, unknown> }): Promise<object>;
  ping(): Promise<unknown>;
  close(): Promise<void>;
  getServerVersion(): { name: string } | undefined;
}

async function v1(transport: HttpV1 | StdioV1): Promise<Connected> {
  const client = new ClientV1(info);
  await client.connect(transport);
  return client;
}

async function v2(transport: HttpV2 | StdioV2): Promise<Connected> {
  const client = new ClientV2(info);
  await client.connect(transport);
  return client;
}

const ways: Record<string, (surface: "v1" | "default") => Promise<Connected>> = {
  "SDK v1 over HTTP": async (surface) => v1(new HttpV1(await url(surface), { requestInit })),
  "SDK v2 over HTTP": async (surface) => v2(new HttpV2(await url(surface), { requestInit })),
  "SDK v1 over stdio": async (surface) => v1(new StdioV1(program(surface))),
  "SDK v2 over stdio": async (surface) => v2(new StdioV2(program(surface))),
};

describe.each(Object.entries(ways))("%s", (_, connect) => {
  test.each(["v1", "default"] as const)(
    "%s: connects, lists, calls, is told errors, closes",
    async (surface) => {
      const client = await connect(surface);
      expect(client.getServerVersion()).toMatchObject({ name: "agentkeys-mcp-server" });
      await client.ping();
      const { tools } = await client.listTools();
      expect(tools.map(({ name }) => name)).toEqual(names.map((name) => `agentkeys.${name}`));
      const put = {
        name: "agentkeys.memory.put",
        arguments: { namespace: "travel", content: "成都" },
      };
      expect(await client.callTool(put)).toMatchObject({ structuredContent: { ok: true } });
      const get = { name: "agentkeys.memory.get", arguments: { namespace: "travel" } };
      expect(await client.callTool(get)).toMatchObject({
        structuredContent: { content: "成都" },
        isError: false,
      });
      const params = { amount_rmb: 600 };
      const pay = {
        name: "agentkeys.permission.check",
        arguments: { scope: "payment.spend", params },
      };
      expect(await client.callTool(pay)).toMatchObject({
        structuredContent: { reason: "daily_spend_cap_exceeded" },
      });
      const unknown = { name: "agentkeys.nope", arguments: {} };
      await expect(client.callTool(unknown)).rejects.toThrow(/tool not found: agentkeys\.nope/);
      await client.close();
    },
  );
});
