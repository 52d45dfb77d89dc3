import { authorityPlays } from "../authority.ts";
import type { Plays } from "../play.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { call, run } from "./run.ts";
import { subAgents } from "./sub-agents.ts";
import { tools } from "./tools.ts";

export const aiSdk: Plays = {
  framework: "AI SDK",
  modes: ["invoke", "stream", "events"],
  plays: { ...calls, ...tools, ...subAgents, ...approvals, ...authorityPlays({ call, run }) },
  notes: {
    "sub-agent, raw tools":
      "each call of a raw tool is refused as `unguarded_tool`, so that nothing runs until the inner agent is given guarded ones.",
    "own telemetry":
      "cannot be covered: an inner call with `telemetry.integrations` of its own, or with `isEnabled: false`, shows its tools to nobody. Guarded objects hold there too.",
    "called by hand": "a function call inside a tool is part of that tool, which was decided on.",
    "provider-executed":
      "the model's provider runs it, and the SDK reports it afterwards. `strict: true` refuses to start with such a tool.",
    handoff: "the SDK has none.",
    "agent as tool": "the inner agent has the whole guard and streams through a generator tool.",
    "code mode": "a tool caller that is simulated, with its nested call ids.",
    "MCP tool": "an object like those of `@ai-sdk/mcp`, without a server behind it.",
    "dynamic tool":
      "tools that a `prepareCall` brings are guarded where it is part of the configuration; where it is put in after `withAgentKeys`, as here, they are refused as `unguarded_tool`.",
    "input mutated":
      "what the call says when it is to run is decided anew; nothing runs on the first decision.",
    "resumed early":
      "the SDK runs what its client approved and cannot suspend again: denied as `approval_pending`, and the ask is withdrawn.",
  },
};
