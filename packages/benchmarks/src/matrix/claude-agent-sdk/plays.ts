import { authorityPlays } from "../authority.ts";
import type { Plays } from "../play.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { call, run } from "./run.ts";
import { subAgents } from "./sub-agents.ts";
import { tools } from "./tools.ts";

const waits =
  "the hook waits for the person (`approval: { waitMs }`); the SDK's `defer` is ignored for calls made together, and its `ask` leaves the answer to the client.";

export const claudeAgentSdk: Plays = {
  framework: "Claude Agent SDK",
  modes: ["invoke", "stream"],
  plays: {
    "called directly": () => null,
    ...calls,
    ...tools,
    ...subAgents,
    ...approvals,
    ...authorityPlays({ call, run }),
  },
  notes: {
    direct:
      "as in all cells, the real SDK drives a stand-in for the Claude Code program, which speaks its protocol: the program itself needs a download and a key.",
    "sub-agent, raw tools":
      "sub-agents have the session's tools, and its hooks decide their calls too.",
    "own telemetry":
      "cannot be covered: a tool that starts a `query` of its own starts another program, with the hooks of its own options. Guarded servers hold there too.",
    "called directly": "an in-process tool is called through its server, which is the agent's.",
    "called by hand": "a function call inside a tool is part of that tool, which was decided on.",
    "per-run override":
      "cannot be covered where Claude Code runs the tool: options that are spread after `withAgentKeys` and replace `hooks` leave built-in tools and other servers to Claude Code's permissions. In-process tools decide for themselves.",
    handoff: "the SDK has none.",
    "code mode": "a program that the model wrote runs in `Bash`: one call, decided by `classify`.",
    "dynamic tool": "the hooks decide what appears while the agent runs.",
    "MCP tool": "a tool that the stand-in runs, as it would one of another process.",
    "provider-executed": "the SDK offers none: `WebSearch` and `WebFetch` are tools like others.",
    generator: "tools of this SDK give one result.",
    "input mutated": "a hook changes the input; what it makes of it is decided anew.",
    retried: "the model calls again, under another id.",
    resumed: waits,
    "resumed twice at once": waits,
    "resumed early": "when the wait is over the ask is withdrawn, and the call denied.",
  },
};
