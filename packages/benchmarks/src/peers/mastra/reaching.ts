import { scriptedModel } from "@agentkeys/testing/mastra";
import { createCodeModeTool, createTool } from "@mastra/core/tools";
import { LocalSandbox } from "@mastra/core/workspace";
import { z } from "zod";
import { call, payTool, price, rawAgent, readBy, script, start } from "../../matrix/mastra/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { PeerStage, SeamPlay } from "../peer.ts";
import { agentOf, drive, type Open, run, type Seam } from "./seam.ts";

const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;
const search = { type: "provider-defined", id: "openai.web_search", args: {} } as never;
type Model = ReturnType<typeof scriptedModel>;

/** An outer guarded agent whose tool `delegate` does this. */
async function delegating(
  open: Open,
  stage: PeerStage,
  { mode, body }: { mode: Mode; body: () => unknown },
): Promise<boolean> {
  const delegate = createTool({
    id: "delegate",
    description: "hands over",
    inputSchema: z.object({}),
    execute: async () => body(),
  });
  const options = { mode, script: delegation, tools: { delegate } };
  return (await run(open, stage, options)).survived;
}

const raw: SeamPlay<Seam> = async (seam, stage, mode) => {
  const model: Model = scriptedModel(script);
  const body = async (): Promise<string> => {
    await start(rawAgent({ script, model, tools: { pay: payTool(stage) } }), mode);
    return "done";
  };
  const survived = await delegating(seam.open(stage), stage, { mode, body });
  return { wanted: [], may: [200], refused: 1, read: readBy(model), survived };
};

/** Ways to a tool that do not lead through the agent's own list. */
export const reaching = {
  "sub-agent, guarded objects": () => null,
  "sub-agent, raw tools": raw,
  "own telemetry": raw,
  "called by hand": async (seam, stage, mode) => {
    const body = () => payTool(stage).execute?.({ price: 600 }, {} as never);
    const survived = await delegating(seam.open(stage), stage, { mode, body });
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: async (seam, stage, mode) => {
    const open = seam.open(stage);
    const { agent, model } = agentOf(open, stage, { script });
    let working: Promise<unknown> | undefined;
    const body = (): string => {
      working = drive(agent, mode, { open });
      return "working on it";
    };
    const survived = await delegating(open, stage, { mode, body });
    await working;
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
  handoff: () => null,
  "agent as tool": async (seam, stage, mode) => {
    const model = scriptedModel(script);
    const payer = rawAgent({ script, model, tools: { pay: payTool(stage) } });
    const turns = [[{ name: "agent-payer", input: { prompt: "go" } }], "handed over"];
    const options = { mode, script: turns, tools: {}, config: { agents: { payer } } };
    const { survived } = await run(seam.open(stage), stage, options);
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
  "code mode": async (seam, stage, mode) => {
    const delegate = createCodeModeTool({
      id: "delegate",
      tools: { pay: payTool(stage) },
      sandbox: new LocalSandbox(),
    });
    const code = "return [await external_pay({ price: 600 }), await external_pay({ price: 200 })];";
    const turns = [[{ name: "delegate", input: { code } }], "done"];
    const options = { mode, script: turns, tools: { delegate } };
    return { wanted: [200], refused: 1, ...(await run(seam.open(stage), stage, options)) };
  },
  "MCP tool": async (seam, stage, mode) => {
    const remote = createTool({
      id: "server_pay",
      description: "pays",
      inputSchema: { type: "object", properties: { price: { type: "number" } } } as never,
      execute: async (input) => stage.pay(input as { price: number }),
    });
    const pay = Object.assign(remote, { mcpMetadata: { serverName: "server" } });
    const options = { mode, script, tools: { pay } };
    return { wanted: [200], refused: 1, ...(await run(seam.open(stage), stage, options)) };
  },
  "dynamic tool": async (seam, stage, mode) => {
    const prepareStep = ({ tools: all }: { tools?: object }) => ({
      tools: { ...all, pay: payTool(stage) },
    });
    const options = { mode, script, tools: {}, options: { prepareStep } };
    const played = await run(seam.open(stage), stage, options);
    return { wanted: [], may: [200], refused: 1, ...played };
  },
  "provider-executed": async (seam, stage, mode) => {
    const provider = {
      id: "provider",
      processInputStep: async () => {
        stage.pay({ price: 600 }, "web_search");
        return {};
      },
    };
    const config = { inputProcessors: [provider] };
    const options = { mode, script: ["done"], tools: { search }, config };
    return { wanted: [], refused: 0, ...(await run(seam.open(stage), stage, options)) };
  },
  renamed: async (seam, stage, mode) => {
    const settle = createTool({
      id: "pay",
      description: "pays",
      inputSchema: price,
      execute: async (input) => stage.pay(input, "settle"),
    });
    const options = { mode, script: [[call(200, "settle")], "done"], tools: { settle } };
    return { wanted: [], refused: 1, ...(await run(seam.open(stage), stage, options)) };
  },
  generator: () => null,
} satisfies Record<string, SeamPlay<Seam>>;
