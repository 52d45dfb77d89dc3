/** What one published package may lean on. Dependencies on packages of ours go by their names. */
export interface Wall {
  /** Folder under `packages/`. */
  readonly folder: string;
  /** Tag in the package's turbo.json. */
  readonly tag: string;
  /** Packages of ours that published source may import, and only as dependencies. */
  readonly uses: readonly string[];
  /** Further packages of ours that tests may import, as devDependencies. */
  readonly testsUse?: readonly string[];
  /** Libraries that published source may import. Default: whatever the package declares. */
  readonly libraries?: readonly string[];
  /** Frameworks that the package is for. They are peers: a second copy of one breaks its users. */
  readonly frameworks?: readonly string[];
  /** Most lines of code in all (docs/adr/0007), tests left out. Default: no limit. */
  readonly maxLines?: number;
  /** Most `any`s and checker suppressions in published source. Each needs a reason. */
  readonly escapes: number;
}

const contract = "@agentkeys/contract";
const core = "@agentkeys/core";
const server = "@agentkeys/server";
const testing = "@agentkeys/testing";

const framework = {
  tag: "framework",
  uses: [core, contract],
  testsUse: [testing, server],
  maxLines: 249,
  escapes: 1,
};

/** The published packages. A package that is not here does not exist: this is also the pin of the set. */
export const walls: Readonly<Record<string, Wall>> = {
  [contract]: {
    folder: "contract",
    tag: "contract",
    uses: [],
    libraries: ["@noble/curves", "@noble/hashes", "cborg", "hash-wasm", "zod"],
    escapes: 0,
  },
  [core]: {
    folder: "core",
    tag: "core",
    uses: [contract],
    testsUse: [server],
    libraries: ["eventsource-parser", "undici"],
    escapes: 0,
  },
  // Its hook for inner tools is entered and left by hand: docs/adr/0007.
  "@agentkeys/langchain": {
    ...framework,
    folder: "langchain",
    frameworks: ["@langchain/core", "@langchain/langgraph", "langchain"],
    maxLines: 275,
  },
  "@agentkeys/ai-sdk": { ...framework, folder: "ai-sdk", frameworks: ["ai"] },
  // Mastra forks, parses and suspends in its own ways: docs/adr/0007.
  "@agentkeys/mastra": {
    ...framework,
    folder: "mastra",
    frameworks: ["@mastra/core"],
    maxLines: 345,
  },
  "@agentkeys/claude-agent-sdk": {
    ...framework,
    folder: "claude-agent-sdk",
    frameworks: ["@anthropic-ai/claude-agent-sdk"],
  },
  // Its agents have shells, editors and computers beside functions: docs/adr/0007.
  "@agentkeys/openai-agents": {
    ...framework,
    folder: "openai-agents",
    frameworks: ["@openai/agents-core", "@openai/agents"],
    maxLines: 442,
  },
  [server]: { folder: "server", tag: "server", uses: [contract], escapes: 0 },
  "@agentkeys/macp": {
    folder: "macp",
    tag: "macp",
    uses: [contract],
    testsUse: [core, server],
    escapes: 0,
  },
  agentkeys: { folder: "cli", tag: "cli", uses: [server, core, contract], escapes: 0 },
  [testing]: {
    folder: "testing",
    tag: "testing",
    uses: [contract, core, server],
    frameworks: [
      "@anthropic-ai/claude-agent-sdk",
      "@langchain/core",
      "@langchain/langgraph",
      "@mastra/core",
      "@openai/agents-core",
      "ai",
      "langchain",
    ],
    escapes: 3,
  },
};

/** Private packages: never published, free to use every published one. */
export const internalFolders = ["benchmarks", "house"];

/** Every name of a framework, so that no other package depends on one. */
export const frameworkNames = new Set(
  Object.values(walls).flatMap((wall) => wall.frameworks ?? []),
);
