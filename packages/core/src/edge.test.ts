import { execFile } from "node:child_process";
import { builtinModules, createRequire } from "node:module";
import { fileURLToPath } from "node:url";
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
const write = process.stdout.write.bind(process.stdout);
for (const name of ["process", "Buffer", "require", "global", "setImmediate"]) delete globalThis[name];
const { createClient, createGuard } = await import("@agentkeys/core");
const omni = "0x" + "11".repeat(32);
const fetch = async (_, { body }) => {
  const { id, method } = JSON.parse(body);
  const result = method === "guard/begin"
    ? { verdict: "accept", scope: "s", reason: "r", explanation: "e", ticket: "t", envelope_hash: omni }
    : { ok: true, envelope_hash: omni };
  // Node's own Response is made out of what is gone here.
  const text = async () => JSON.stringify({ jsonrpc: "2.0", id, result });
  return { status: 200, headers: new Map(), body: null, text };
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
  expect(resolved.some((name) => name.endsWith("/copy-input.ts"))).toBe(true);
  expect(resolved.filter((name) => name.startsWith("node:") || name.includes("undici"))).toEqual(
    [],
  );
});

interface Bundler {
  rolldown(options: object): Promise<{
    generate(options: object): Promise<{
      output: { imports?: string[]; dynamicImports?: string[]; moduleIds?: string[] }[];
    }>;
  }>;
}

test("bundled for a browser it brings no connection library and asks for nothing of Node", async () => {
  // The bundler that the test runner brings along.
  const fromVitest = createRequire(createRequire(import.meta.url).resolve("vitest/package.json"));
  const fromVite = createRequire(fromVitest.resolve("vite/package.json"));
  const { rolldown } = (await import(fromVite.resolve("rolldown"))) as Bundler;
  const build = await rolldown({
    input: fileURLToPath(new URL("index.ts", import.meta.url)),
    platform: "browser",
    logLevel: "silent",
    resolve: { conditionNames: ["@agentkeys/source", "browser", "import"] },
  });
  const { output } = await build.generate({ format: "esm" });
  const modules = output.flatMap(({ moduleIds = [] }) => moduleIds);
  expect(modules.some((id) => id.endsWith("no-pool.ts"))).toBe(true);
  expect(modules.filter((id) => id.includes("undici"))).toEqual([]);
  const asked = output.flatMap(({ imports = [], dynamicImports = [] }) => [
    ...imports,
    ...dynamicImports,
  ]);
  const ofNode = asked.filter((name) => name.startsWith("node:") || builtinModules.includes(name));
  expect(ofNode).toEqual([]);
});
