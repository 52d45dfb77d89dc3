// What Claude Code's hooks send and get, against a real authority process: the JSON on stdin and stdout, and exit code 0.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

const cli = [...process.execArgv, fileURLToPath(import.meta.resolve("agentkeys/main"))];
const data = await mkdtemp(join(tmpdir(), "agentkeys-hook-"));
const authority = spawn(
  process.execPath,
  [...cli, "dev", "--json", "--listen", "127.0.0.1:0", "--data", data],
  { stdio: ["ignore", "pipe", "inherit"] },
);
const [line] = (await once(createInterface(authority.stdout), "line")) as [string];
const { agent } = JSON.parse(line) as { agent: Record<string, string> };

async function hook(args: string[], input: object, env = agent): Promise<unknown> {
  const child = spawn(process.execPath, [...cli, "hook", ...args], {
    env: { ...process.env, ...env },
    stdio: ["pipe", "pipe", "ignore"],
  });
  child.stdin.end(JSON.stringify(input));
  const [answer, [code]] = await Promise.all([text(child.stdout), once(child, "exit")]);
  assert.equal(code, 0, "a host takes any other code for: go on");
  return JSON.parse(answer);
}

const order = (amount: number) => ({
  session_id: "s1",
  hook_event_name: "PreToolUse",
  tool_name: "mcp__shop__order",
  tool_use_id: "toolu_1",
  tool_input: { amount_rmb: amount },
});

try {
  const allowed = await hook(["check", "--scope", "payment.spend"], order(200));
  assert.deepEqual(allowed, {});
  console.log("200 →", JSON.stringify(allowed), "(the tool runs)");

  const blocked = await hook(["check", "--scope", "payment.spend"], order(600));
  assert.deepEqual(blocked, {
    decision: "block",
    reason: "daily_spend_cap_exceeded: cap=500, requested=600, period=daily",
  });
  console.log("600 →", JSON.stringify(blocked));

  const recorded = await hook(["audit"], {
    ...order(200),
    hook_event_name: "PostToolUse",
    tool_response: { is_error: false },
  });
  assert.deepEqual(recorded, {});
  console.log("after the tool →", JSON.stringify(recorded));

  const nowhere = { ...agent, AGENTKEYS_MCP_URL: "http://127.0.0.1:1/mcp" };
  const closed = await hook(["check", "--scope", "payment.spend"], order(1), nowhere);
  assert.match((closed as { reason: string }).reason, /^agentkeys_unreachable: /);
  console.log("no authority →", JSON.stringify(closed));
} finally {
  authority.kill("SIGTERM");
  await once(authority, "exit");
  await rm(data, { recursive: true });
}
