import { once } from "node:events";
import { createServer } from "node:net";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { createAuthority } from "@agentkeys/server";
import { expect, test } from "vitest";
import { run, stay } from "./cli-process.test-kit.ts";

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;

/** Takes connections and says nothing. */
async function mute() {
  const sockets: Socket[] = [];
  const server = createServer((socket) => sockets.push(socket.on("error", () => undefined)));
  await once(server.listen(0, "127.0.0.1"), "listening");
  const { port } = server.address() as AddressInfo;
  return {
    server,
    env: { AGENTKEYS_MCP_URL: `http://127.0.0.1:${port}/mcp`, AGENTKEYS_OPERATOR_TOKEN: "t" },
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

test("a reader that has seen enough ends the command: exit 0, no stack", async () => {
  await using authority = await createAuthority({
    data: ":memory:",
    env: {
      MCP_VENDOR_TOKENS: "shop:t",
      MCP_DEFAULT_OPERATOR_OMNI: operator,
      AGENTKEYS_OPERATOR_TOKEN: "op",
    },
  });
  const { url } = await authority.listen({ port: 0 });
  const check = () =>
    authority.fetch("/mcp", {
      method: "POST",
      headers: {
        authorization: "Bearer t",
        "x-agentkeys-actor": actor,
        "content-type": "application/json",
      },
      body: JSON.stringify({
        jsonrpc: "2.0",
        id: 1,
        method: "tools/call",
        params: { name: "agentkeys.permission.check", arguments: { actor, scope: "web.search" } },
      }),
    });
  await check();
  const env = { AGENTKEYS_MCP_URL: url, AGENTKEYS_OPERATOR_TOKEN: "op" };
  await using tail = await stay(["audit", "tail"], { env });
  const exited = once(tail.child, "exit");
  const { stdout, stderr } = tail.child;
  if (stdout === null || stderr === null) throw new Error("the streams of the command are pipes");
  const complaints = text(stderr);
  await once(stdout.destroy(), "close");
  await check();
  expect((await exited)[0]).toBe(0);
  expect(await complaints).toBe("");
});

test("an authority that says nothing: exit 1 at the deadline, exit 0 when interrupted before it", async () => {
  using silent = await mute();
  const { env } = silent;
  const { code, stderr } = await run(["audit", "tail"], { env });
  expect(code).toBe(1);
  expect(stderr).toContain("no answer from http://127.0.0.1:");

  const reached = once(silent.server, "connection");
  const interrupted = run(["audit", "tail"], { env, signalAfter: reached });
  expect(await interrupted).toEqual({ code: 0, stdout: "", stderr: "" });
});

test("a url that is none: exit 2", async () => {
  const { code, stderr } = await run(["audit", "tail", "--url", "nonsense", "--token", "t"]);
  expect([code, stderr]).toEqual([2, expect.stringContaining("url: expected http://")]);
});
