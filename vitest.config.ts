import { readdirSync } from "node:fs";
import { defineConfig } from "vitest/config";

// Workspace packages resolve to their TypeScript source, so tests need no build.
const conditions = ["@agentkeys/source", "module", "node", "development|production"];

export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: ["@agentkeys/source"] } },
  test: {
    reporters: ["default", "./packages/house/src/summary-reporter.ts"],
    projects: readdirSync(new URL("packages/", import.meta.url)).map((dir) => ({
      extends: true as const,
      test: {
        name: dir,
        root: `packages/${dir}`,
        include: ["src/**/*.test.ts"],
        testTimeout: 30_000,
      },
    })),
  },
});
