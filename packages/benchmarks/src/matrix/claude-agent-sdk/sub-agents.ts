import { guardTools } from "@agentkeys/claude-agent-sdk";
import { scriptedClaude } from "@agentkeys/testing/claude-agent-sdk";
import { type Options, tool } from "@anthropic-ai/claude-agent-sdk";
import type { Play } from "../play.ts";
import type { Mode } from "../shapes.ts";
import type { Stage } from "../stage.ts";
import { call, free, named, payTool, readBy, run, script, shopOf, start } from "./run.ts";

type Claude = ReturnType<typeof scriptedClaude>;
const delegation = [[{ name: "mcp__shop__delegate", input: {} }], "handed over"] as const;

/** An outer guarded agent whose tool `delegate` does this; gives what the inner model read. */
async function delegating(stage: Stage, mode: Mode, body: (claude: Claude) => unknown) {
  const claude = scriptedClaude(script);
  const delegate = tool("delegate", "hands over", {}, async () => {
    return { content: [{ type: "text", text: String(await body(claude)) }] };
  });
  const tools = [delegate] as never;
  const { survived } = await run(stage, mode, { script: delegation, tools });
  return { read: readBy(claude), survived };
}

const guarded = (stage: Stage): Options => ({
  ...free,
  mcpServers: guardTools(named(stage.guard), { shop: shopOf([payTool(stage)]) }),
});

/** Claude Code's own sub-agent, with the tools of the session. */
async function subAgent(stage: Stage, mode: Mode, name: string) {
  const delegate = { name: "Agent", input: { subagent_type: "payer" } };
  const payer = [[call(600, name), call(200, name)], "done"];
  const pay = (input: { price: number }) => stage.pay(input);
  const scripted = { agents: { payer }, builtins: { pay } };
  const played = await run(stage, mode, { script: [[delegate], "handed over"], scripted });
  return { wanted: [200], refused: 1, ...played };
}

export const subAgents = {
  "sub-agent, guarded objects": async (stage, mode) => {
    const played = await delegating(stage, mode, (claude) => start(claude, mode, guarded(stage)));
    return { wanted: [200], refused: 1, ...played };
  },
  "sub-agent, raw tools": (stage, mode) => subAgent(stage, mode, "pay"),
  "agent as tool": (stage, mode) => subAgent(stage, mode, "mcp__shop__pay"),
  "own telemetry": async (stage, mode) => {
    const options = { ...free, mcpServers: { shop: shopOf([payTool(stage)]) } };
    const played = await delegating(stage, mode, (claude) => start(claude, mode, options));
    return { wanted: [], refused: 2, ...played };
  },
  "called by hand": async (stage, mode) => {
    const { survived } = await delegating(stage, mode, () =>
      payTool(stage).handler({ price: 600 }, {}),
    );
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: async (stage, mode) => {
    const inner = scriptedClaude(script);
    let working: Promise<void> | undefined;
    const { survived } = await delegating(stage, mode, () => {
      working = start(inner, mode, guarded(stage));
      return "working on it";
    });
    await working;
    return { wanted: [200], refused: 1, read: readBy(inner), survived };
  },
  handoff: () => null,
} satisfies Record<string, Play>;
