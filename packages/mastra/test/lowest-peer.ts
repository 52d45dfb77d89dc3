import { execFileSync } from "node:child_process";
import { mkdtempDisposable, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

// This package's tests with the lowest `@mastra/core` that it takes, installed apart: pnpm --filter @agentkeys/mastra test:lowest
const root = fileURLToPath(new URL("..", import.meta.url));
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));
const [, lowest] = /(\d+\.\d+\.\d+)/.exec(manifest.peerDependencies["@mastra/core"]) ?? [];
await using dir = await mkdtempDisposable(join(tmpdir(), "agentkeys-lowest-"));
const inherit = { stdio: "inherit" } as const;
const install = ["install", "--no-save", "--prefix", dir.path, `@mastra/core@${lowest}`, "zod@4"];
execFileSync("npm", install, inherit);
const dist = join(dir.path, "node_modules/@mastra/core/dist");
const conditions = ["@agentkeys/source", "module", "node", "development|production"];
const config = {
  root,
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@agentkeys/source"] } },
  test: { include: ["src/**/*.test.ts"], testTimeout: 60_000 },
};
const alias = [
  { find: "^@mastra/core$", replacement: `${dist}/index.js` },
  { find: "^@mastra/core/(.*)$", replacement: `${dist}/$1/index.js` },
];
const file = join(dir.path, "vitest.config.mjs");
await writeFile(
  file,
  `const config = ${JSON.stringify(config)};
config.resolve.alias = ${JSON.stringify(alias)}.map((one) => ({ ...one, find: new RegExp(one.find) }));
export default config;
`,
);
execFileSync("vitest", ["run", "--config", file], inherit);
