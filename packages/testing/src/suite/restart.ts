import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempDisposable, readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { createOperator } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { expect, test } from "vitest";

const actor = `0x${"a0".repeat(32)}`;
const operator = `0x${"07".repeat(32)}`;
const variables = {
  AGENTKEYS_MCP_VENDOR_TOKEN: "vendor-token",
  AGENTKEYS_ACTOR_OMNI: actor,
  AGENTKEYS_OPERATOR_OMNI: operator,
  AGENTKEYS_DEVICE_KEY_HASH: `0x${"de".repeat(32)}`,
};

/** The authority in one of its lives, all on the same disk. */
async function openAuthority(data: string) {
  const authority = await createAuthority({
    data,
    env: {},
    config: {
      vendors: { shop: { token: "value:vendor-token" } },
      operators: { [operator]: { token: "value:operator-token" } },
      actors: { [actor]: { operator, vendor: "shop", scopes: { "mail.send": "ask" } } },
    },
  });
  const { url } = await authority.listen({ port: 0 });
  return { authority, url };
}

/**
 * An ask that outlives processes. `program` is one life of an agent: `program DIR ask` calls the tool `mail` (scope `mail.send`),
 * keeps the run that waits in a file of DIR and kills itself; `program DIR resume` prints a line, reads one, goes on with that run as
 * if the person had agreed, and prints what the model read and said: `sent` and `done`. The tool adds a line to `DIR/ran`.
 */
export function restartSuite(program: URL): void {
  const live = (step: "ask" | "resume", dir: string, url: string) => {
    const env = { ...variables, AGENTKEYS_MCP_URL: url };
    const args = ["--conditions=@agentkeys/source", fileURLToPath(program)];
    const stdio = ["pipe", "pipe", "inherit"] as const;
    return spawn(process.execPath, [...args, dir, step], { env, stdio: [...stdio] });
  };

  /** Goes on at the same moment in so many processes; gives what each of them said. */
  const resume = async (count: number, dir: string, url: string): Promise<string[]> => {
    const lives = Array.from({ length: count }, () => live("resume", dir, url));
    await Promise.all(lives.map(({ stdout }) => once(stdout, "readable")));
    for (const { stdin } of lives) stdin.end("go");
    return Promise.all(lives.map(({ stdout }) => text(stdout)));
  };

  test("killed while it asks, decided in another life, resumed in two processes at once: it runs once", async () => {
    await using dir = await mkdtempDisposable(join(tmpdir(), "agentkeys-lives-"));
    const ran = () => readFile(join(dir.path, "ran"), "utf8").catch(() => "");
    const first = await openAuthority(dir.path);
    const asking = live("ask", dir.path, first.url);
    expect(await once(asking, "exit")).toEqual([null, "SIGKILL"]);
    await first.authority.close();

    const { authority, url } = await openAuthority(dir.path);
    await using person = createOperator({ fetch: authority.fetch, token: "operator-token" });
    const asked = await person.approvals.list({ status: "pending" });
    for (const approval of asked) await person.approvals.approve(approval, { reason: "tested" });
    expect(asked).toHaveLength(1);
    expect(await ran()).toBe("");

    const both = await resume(2, dir.path, url);
    expect(both.some((said) => /sent[^]*done|done[^]*sent/.test(said))).toBe(true);
    // The run on disk is as old as it was: what has run since is known to the authority alone.
    const [later] = await resume(1, dir.path, url);
    expect(later).toMatch(/sent[^]*done|done[^]*sent/);
    expect(await ran()).toMatch(/^.+\n$/);
    await authority.close();
  }, 60_000);
}
