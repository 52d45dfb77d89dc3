import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";

/**
 * Runs in a process of its own, with what an edge runtime lacks taken away before the package loads, and says what was
 * resolved: with a `fetch` given, nothing of Node and no connection library may be.
 */
const program = `
import { registerHooks } from "node:module";
const resolved = [];
registerHooks({ resolve(specifier, context, next) {
  resolved.push(specifier);
  return next(specifier, context);
} });
// Node builds its own fetch lazily, out of what is about to go.
await Response.json({}).text();
const write = process.stdout.write.bind(process.stdout);
for (const name of ["process", "Buffer", "require", "global", "setImmediate"]) delete globalThis[name];
const { createClient, createGuard } = await import("@agentkeys/core");
const omni = "0x" + "11".repeat(32);
const fetch = async (_, { body }) => {
  const { id, method } = JSON.parse(body);
  const result = method === "guard/begin"
    ? { verdict: "accept", scope: "s", reason: "r", explanation: "e", ticket: "t", envelope_hash: omni }
    : { ok: true, envelope_hash: omni };
  return Response.json({ jsonrpc: "2.0", id, result });
};
const client = createClient({ fetch, token: "t", actor: omni, operator: omni });
const guard = createGuard({ client, tools: { t: { scope: "s" } } });
const ran = await guard.run({ tool: "t", input: { a: 1 } }, ({ a }) => a);
const bare = await createClient({ fetch }).identity.whoami().catch(({ code }) => code);
write(JSON.stringify({ ran, bare, resolved }));
`;

test("with a fetch it runs without process, Buffer, any built-in of Node or undici", async () => {
  const args = ["--conditions=@agentkeys/source", "--input-type=module", "-e", program];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    cwd: new URL("..", import.meta.url),
  });
  const { ran, bare, resolved } = JSON.parse(stdout) as {
    ran: unknown;
    bare: string;
    resolved: string[];
  };
  expect(ran).toEqual({ status: "ran", result: 1 });
  expect(bare).toBe("config_invalid");
  expect(resolved).toContain("@agentkeys/core");
  expect(resolved).toContain("./copy-input.ts");
  expect(resolved.filter((name) => name.startsWith("node:") || name.includes("undici"))).toEqual(
    [],
  );
});
