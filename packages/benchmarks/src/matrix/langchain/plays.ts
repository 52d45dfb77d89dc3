import { authorityPlays } from "../authority.ts";
import type { Plays } from "../play.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { call, run } from "./run.ts";
import { subAgents } from "./sub-agents.ts";
import { tools } from "./tools.ts";

export const langchain: Plays = {
  framework: "LangChain.js",
  modes: ["invoke", "stream", "events", "batch"],
  plays: {
    ...calls,
    ...tools,
    ...subAgents,
    ...approvals,
    ...authorityPlays({ call, run }),
    "code mode": () => null,
  },
  notes: {
    "sub-agent, raw tools":
      "each call of a raw tool is refused as `unguarded_tool`, so that nothing runs until the inner agent is given guarded ones.",
    "called by hand":
      "a function call inside a tool is part of that tool, which was decided on. So is a raw runnable made a tool with `asTool()`: it fires no tool callback.",
    "own telemetry":
      "an inner `invoke` with `callbacks` of its own drops inherited handlers; the guard's hook is asked all the same.",
    "provider-executed":
      "the model's provider runs it and no call ever reaches this process. `strict: true` refuses to start with such a tool.",
    "per-run override":
      "no option of a run replaces a middleware, and the guarded objects do not depend on it.",
    "MCP tool": "an object like those of `@langchain/mcp-adapters`, without a server behind it.",
    background: "`streamEvents` ends whatever still runs when the run is over.",
    "code mode": "LangChain.js has none.",
  },
};
