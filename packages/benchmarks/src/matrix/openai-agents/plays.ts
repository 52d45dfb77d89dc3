import { authorityPlays } from "../authority.ts";
import type { Plays } from "../play.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { call, run } from "./run.ts";
import { subAgents } from "./sub-agents.ts";
import { tools } from "./tools.ts";

export const openaiAgents: Plays = {
  framework: "OpenAI Agents",
  modes: ["invoke", "stream", "events"],
  plays: { ...calls, ...tools, ...subAgents, ...approvals, ...authorityPlays({ call, run }) },
  notes: {
    "sub-agent, raw tools":
      "an agent that runs inside of a guarded call gets its tools guarded by that call's guard.",
    "called by hand": "a function call inside a tool is part of that tool, which was decided on.",
    "provider-executed":
      "the model's provider runs it, and the SDK reports it afterwards. `strict: true` refuses to start with such a tool.",
    "code mode": "programs of models run at the provider, and call function tools like any model.",
    generator: "the SDK does not stream tools.",
    "MCP tool": "an `MCPServer` object, without a server behind it.",
    "call id repeated":
      "the SDK ends the run, guarded or not. The second call comes to nobody; *survived* means that it ended so.",
    "per-run override":
      "no option of a run replaces the tools. Played: `approve(…, { alwaysApprove: true })`, after which the authority is asked all the same.",
    "jump around":
      "an input guardrail around the tool runs the guarded one itself, and rejects the call with what it said.",
    "resumed early":
      "the SDK runs what its client approved and cannot interrupt again: denied as `approval_pending`, and the ask is withdrawn.",
  },
};
