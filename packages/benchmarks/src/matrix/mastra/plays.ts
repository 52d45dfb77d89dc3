import { authorityPlays } from "../authority.ts";
import type { Plays } from "../play.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { call, run } from "./run.ts";
import { subAgents } from "./sub-agents.ts";
import { tools } from "./tools.ts";

export const mastra: Plays = {
  framework: "Mastra",
  modes: ["invoke", "stream", "events"],
  plays: { ...calls, ...tools, ...subAgents, ...approvals, ...authorityPlays({ call, run }) },
  notes: {
    "sub-agent, raw tools":
      "an agent that a tool builds for itself has nothing of Mastra's through which anybody else sees its calls. The tool that builds it is decided on. Give the inner agent guarded tools, or put it into `agents`, which are guarded.",
    "called by hand": "a function call inside a tool is part of that tool, which was decided on.",
    "own telemetry":
      "the same agent built inside a tool: nothing is inherited, so nothing need be dropped.",
    "dynamic tool":
      "toolsets, tools given as a function and what the configuration's processors and `prepareStep` inject are decided on. What the `prepareStep` of one run injects is run by Mastra without any hook: inject guarded tools (`guardTools`), which decide for themselves.",
    "provider-executed":
      "the model's provider runs it and no call ever reaches this process. `strict: true` refuses to start with such a tool.",
    handoff: "Mastra has none: an agent hands over by calling another as a tool.",
    generator: "Mastra runs no generators.",
    "MCP tool": "an object like those of `@mastra/mcp`, without a server behind it.",
    "code mode": "Mastra's own, in its local sandbox, with guarded tools.",
    retried: "a step of a workflow.",
    "resumed early":
      "Mastra cannot suspend a call twice for one answer: the ask is withdrawn and denied.",
  },
};
