import { chmodSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { createClient } from "@agentkeys/core";
import { describe, expect, test } from "vitest";
import { folder, run, startDev, stay } from "./cli-process.test-kit.ts";

const clientOf = (agent: Record<string, string>) =>
  createClient({
    url: agent["AGENTKEYS_MCP_URL"] ?? "",
    token: agent["AGENTKEYS_MCP_VENDOR_TOKEN"] ?? "",
    actor: agent["AGENTKEYS_ACTOR_OMNI"] ?? "",
    operator: agent["AGENTKEYS_OPERATOR_OMNI"] ?? "",
    deviceKeyHash: agent["AGENTKEYS_DEVICE_KEY_HASH"] ?? "",
  });

test("dev: seeded notes, private tokens, the same identity at the next start, exit 0 on SIGTERM", async () => {
  using dir = folder();
  const data = join(dir.path, "data");
  const first = await startDev(data);
  await using client = clientOf(first.agent);
  expect((await client.memory.get({ namespace: "travel" })).content).toContain("Chengdu");
  expect(await client.memory.get({ namespace: "family" })).toMatchObject({
    ok: false,
    content: "",
  });
  expect(statSync(join(data, "dev-tokens.json")).mode & 0o077).toBe(0);
  expect(statSync(data).mode & 0o077).toBe(0);
  expect(readFileSync(join(data, ".gitignore"), "utf8")).toBe("*\n");
  expect(await first.stop("SIGTERM")).toBe(0);
  const second = await startDev(data);
  expect(second.agent["AGENTKEYS_MCP_VENDOR_TOKEN"]).toBe(
    first.agent["AGENTKEYS_MCP_VENDOR_TOKEN"],
  );
  expect(await second.stop("SIGINT")).toBe(0);
});

test("dev prints two blocks of export lines, for two shells", async () => {
  using dir = folder();
  const args = ["dev", "--listen", "127.0.0.1:0", "--data", join(dir.path, "d")];
  await using dev = await stay(args, { until: "# Ctrl-C" });
  const [agent, operator] = dev.seen.split("# The operator's");
  expect(agent?.match(/^export \w+/gm)).toEqual([
    "export AGENTKEYS_MCP_URL",
    "export AGENTKEYS_MCP_VENDOR_TOKEN",
    "export AGENTKEYS_ACTOR_OMNI",
    "export AGENTKEYS_OPERATOR_OMNI",
    "export AGENTKEYS_DEVICE_KEY_HASH",
  ]);
  expect(operator?.match(/^export \w+/gm)).toEqual([
    "export AGENTKEYS_MCP_URL",
    "export AGENTKEYS_OPERATOR_TOKEN",
  ]);
});

test("revoke stops the running agent's very next call; a stranger's token revokes nobody", async () => {
  using dir = folder();
  await using dev = await startDev(join(dir.path, "data"));
  await using client = clientOf(dev.agent);
  const actor = dev.agent["AGENTKEYS_ACTOR_OMNI"] ?? "";
  const env = { ...dev.operator, AGENTKEYS_OPERATOR_TOKEN: "not-the-operators" };
  const stranger = await run(["revoke", actor], { env });
  expect(stranger.code).toBe(1);
  expect(stranger.stderr).not.toContain("not-the-operators");
  await client.identity.whoami();

  const revoked = await run(["revoke", actor, "--reason", "lost phone", "--json"], {
    env: dev.operator,
  });
  expect(revoked).toMatchObject({ code: 0, stderr: "" });
  expect(JSON.parse(revoked.stdout)).toMatchObject({
    ok: true,
    actor,
    envelope_hash: expect.stringMatching(/^0x[0-9a-f]{64}$/),
  });
  await expect(client.identity.whoami()).rejects.toMatchObject({ code: "actor_revoked" });
});

test("audit tail follows the log and stops at its limit", async () => {
  using dir = folder();
  await using dev = await startDev(join(dir.path, "data"));
  const tail = run(["audit", "tail", "--json", "--limit", "5"], { env: dev.operator });
  await using client = clientOf(dev.agent);
  for (const amount_rmb of [200, 600]) {
    await client.permission.check({ scope: "payment.spend", params: { amount_rmb } });
  }
  const { code, stdout } = await tail;
  expect(code).toBe(0);
  const rows = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { seq: number });
  expect(rows.map(({ seq }) => seq)).toEqual([1, 2, 3, 4, 5]);
  const people = await run(["audit", "tail", "--after", "4", "--limit", "1"], {
    env: dev.operator,
  });
  expect(people.stdout).toMatch(/permission\.check .*reason=daily_spend_cap_exceeded\n$/);
  const agents = await run(["audit", "tail"], {
    env: {
      AGENTKEYS_OPERATOR_TOKEN: dev.agent["AGENTKEYS_MCP_VENDOR_TOKEN"] ?? "",
      AGENTKEYS_MCP_URL: dev.url,
    },
  });
  expect(agents.code).toBe(1);
});

describe("serve refuses to start, with exit 1 and one clear line", () => {
  async function refused(args: string[], env = {}): Promise<string> {
    const { code, stdout, stderr } = await run(["serve", "--listen", "127.0.0.1:0", ...args], {
      env,
    });
    expect(code).toBe(1);
    expect(stdout).toBe("");
    expect(stderr).toMatch(/^agentkeys: /m);
    expect(stderr).not.toMatch(/\n\s+at /);
    return stderr;
  }

  test("taken port", async () => {
    using dir = folder();
    const holder = createServer().listen(0, "127.0.0.1");
    await once(holder, "listening");
    const { port } = holder.address() as AddressInfo;
    const { code, stderr } = await run([
      "serve",
      "--listen",
      `127.0.0.1:${port}`,
      "--data",
      dir.path,
    ]);
    holder.close();
    expect(code).toBe(1);
    expect(stderr).toContain(String(port));
  });

  test.skipIf(process.getuid?.() === 0)(
    "unreadable data directory (root reads everything)",
    async () => {
      using dir = folder();
      const data = join(dir.path, "locked");
      mkdirSync(data);
      chmodSync(data, 0o000);
      expect(await refused(["--data", data])).toContain("locked");
      chmodSync(data, 0o700);
    },
  );

  test("a file where the data directory should be", async () => {
    using dir = folder();
    const data = join(dir.path, "file");
    writeFileSync(data, "not a folder");
    expect(await refused(["--data", data])).toContain("not a directory");
  });

  test("corrupt database", async () => {
    using dir = folder();
    await using dev = await startDev(dir.path);
    await dev.stop();
    const database = databaseIn(dir.path);
    writeFileSync(database, Buffer.alloc(8192, 7));
    expect(await refused(["--data", dir.path])).toMatch(/corrupt|not a database|damaged/i);
  });

  test("newer database", async () => {
    using dir = folder();
    await using dev = await startDev(dir.path);
    await dev.stop();
    const database = new DatabaseSync(databaseIn(dir.path));
    database.exec("PRAGMA user_version = 9999");
    database.close();
    expect(await refused(["--data", dir.path])).toMatch(/newer/);
  });

  test("two processes on one directory: the second is told who holds it", async () => {
    using dir = folder();
    await using dev = await startDev(dir.path);
    expect(await refused(["--data", dir.path])).toContain(String(dev.child.pid));
  });

  test("bad configuration: file, line, key and what was expected", async () => {
    using dir = folder();
    const config = join(dir.path, "agentkeys.yaml");
    writeFileSync(config, "vendors:\n  shop: { token: env:SHOP_TOKEN }\noperaters: {}\n");
    const text = await refused(["--data", join(dir.path, "d"), "--config", config], {
      SHOP_TOKEN: "t",
    });
    expect(text).toContain("agentkeys.yaml:3");
    expect(text).toContain("operaters");
  });
});

function databaseIn(data: string): string {
  const name = readdirSync(data).find((entry) => /^authority\.db$/.test(entry));
  if (name === undefined) throw new Error(`no database in ${data}`);
  return join(data, name);
}
