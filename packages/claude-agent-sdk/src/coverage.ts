import { BUILTIN_TOOL_NAMES, type Options } from "@anthropic-ai/claude-agent-sdk";
import { type How, type Reach, registerInspector } from "@agentkeys/core";
import { toolsOf } from "./guard-tools.ts";
import { seamIn } from "./hooks.ts";
import { mcpName } from "./own-tools.ts";

registerInspector({
  name: "@agentkeys/claude-agent-sdk",
  inspect(target, guard) {
    const { mcpServers, hooks, tools, ...options } = Object(target) as Options;
    if (!mcpServers && !Array.isArray(hooks?.PreToolUse)) return undefined;
    const decided = seamIn(hooks, guard) !== undefined;
    const how: How = decided ? "guarded" : "raw";
    const builtin = Array.isArray(tools) ? tools : BUILTIN_TOOL_NAMES;
    // These bring hooks that nobody here sees: they can change a call after the decision, or switch hooks off.
    const loose = Object.keys(options).filter((key) =>
      /^(settings|plugins|permissionPromptToolName)$/.test(key),
    );
    if (options.settingSources?.length !== 0) loose.push("settingSources");
    return [
      ...builtin.map((name) => ({ name, path: `tools.${name}`, how })),
      ...Object.entries(mcpServers ?? {}).flatMap(([key, server]): Reach[] => {
        const path = `mcpServers.${key}`;
        // What a server lists that runs elsewhere is known only then.
        if (!("instance" in server))
          return [{ name: `${mcpName(key, "")}*`, path, how: decided ? how : "mcp" }];
        return toolsOf(server).map(([name, { handler }]) => {
          return { name: mcpName(key, name), path: `${path}.${name}`, object: handler, how };
        });
      }),
      ...loose.map((name) => ({ name, how: "dynamic" as const })),
    ];
  },
});
