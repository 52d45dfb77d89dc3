import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { dynamicTool, jsonSchema, tool, ToolLoopAgent, type ToolSet } from "ai";
import { z } from "zod";
import { call, payTool, price, readBy, script, start } from "../../matrix/ai-sdk/run.ts";
import type { Mode } from "../../matrix/shapes.ts";
import type { PeerStage, SeamPlay } from "../peer.ts";
import { agentOf, run } from "./run.ts";
import type { Open, Seam } from "./seam.ts";

/** What is used of `@ai-sdk/code-mode`. */
export interface CodeMode {
  experimental_codeModeTool(): ToolSet[string];
}

const search: ToolSet[string] = {
  type: "provider",
  id: "mock.web_search",
  isProviderExecuted: true,
  args: {},
  inputSchema: z.object({}),
  outputSchema: z.unknown(),
};

const delegation = [[{ name: "delegate", input: {} }], "handed over"] as const;

/** An outer guarded agent whose tool `delegate` does this. */
async function delegating(
  open: Open,
  stage: PeerStage,
  { mode, body }: { mode: Mode; body: () => unknown },
): Promise<boolean> {
  const delegate = tool({ inputSchema: z.object({}), execute: async () => body() });
  const tools = { delegate };
  return (await run(open, stage, { mode, script: delegation, tools })).survived;
}

const raw =
  (settings: object): SeamPlay<Seam> =>
  async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const model = scriptedModel(script);
    const inner = { model, tools: { pay: payTool(stage) }, ...settings };
    const body = async (): Promise<string> => {
      await start(new ToolLoopAgent<never, ToolSet>(inner), mode);
      return "done";
    };
    const survived = await delegating(open, stage, { mode, body });
    return { wanted: [], may: [200], refused: 1, read: readBy(model), survived };
  };

/** With the package that is given, or not at all. */
export const inCodeMode =
  (codeMode: CodeMode): SeamPlay<Seam> =>
  async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const delegate = codeMode.experimental_codeModeTool();
    const js = `
      const said = [];
      for (const price of [600, 200]) {
        said.push(await tools.pay({ price }).catch((error) => "refused: " + error.message));
      }
      return said;`;
    const settings = { experimental_toolCallers: { pay: ["delegate"] } } as object;
    const played = await run(open, stage, {
      mode,
      script: [[{ name: "delegate", input: { js } }], "done"],
      tools: { pay: payTool(stage), delegate },
      settings,
    });
    const read = played.read.flatMap((text) => text.match(/refused: [^"]*/g) ?? []);
    return { wanted: [200], refused: 1, ...played, read };
  };

/** Ways to a tool that do not lead through the agent's own list. */
export const reaching = {
  "sub-agent, guarded objects": (seam, stage, mode) => {
    const play = async () => {
      const open = await seam.open(stage);
      const model = scriptedModel(script);
      const body = async (): Promise<string> => {
        const tools = open.tools?.({ pay: payTool(stage) }) ?? {};
        await start(new ToolLoopAgent<never, ToolSet>({ model, tools }), mode);
        return "done";
      };
      const survived = await delegating(open, stage, { mode, body });
      return { wanted: [200], refused: 1, read: readBy(model), survived };
    };
    return seam.notes["sub-agent, guarded objects"] === undefined ? play() : null;
  },
  "sub-agent, raw tools": raw({}),
  "own telemetry": raw({ telemetry: { integrations: [] } }),
  "called by hand": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const options = { toolCallId: "by-hand", messages: [], context: {} };
    const body = () => payTool(stage).execute?.({ price: 600 }, options);
    const survived = await delegating(open, stage, { mode, body });
    return { wanted: [], refused: 0, read: [], survived };
  },
  background: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const inner = agentOf(open, stage, { script });
    let working: Promise<unknown> | undefined;
    const body = (): string => {
      working = start(inner.agent, mode);
      return "working on it";
    };
    const survived = await delegating(open, stage, { mode, body });
    await working;
    return { wanted: [200], refused: 1, read: readBy(inner.model), survived };
  },
  handoff: () => null,
  "agent as tool": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const inner = agentOf(open, stage, { script });
    const delegate = tool({
      inputSchema: z.object({}),
      async *execute() {
        const { textStream } = await inner.agent.stream({ prompt: "go" });
        for await (const text of textStream) yield text;
      },
    });
    const options = { mode, script: delegation, tools: { delegate } };
    const { survived } = await run(open, stage, options);
    return { wanted: [200], refused: 1, read: readBy(inner.model), survived };
  },
  "MCP tool": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const remote = dynamicTool({
      inputSchema: jsonSchema({ type: "object", properties: { price: { type: "number" } } }),
      execute: async (input) => ({
        content: [{ type: "text", text: stage.pay(input as { price: number }) }],
      }),
    });
    const pay = { ...remote, metadata: { clientName: "shop", toolName: "pay" } };
    const played = await run(open, stage, { mode, script, tools: { pay } });
    return { wanted: [200], refused: 1, ...played };
  },
  "dynamic tool": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const prepareCall = (settings: object) => ({ ...settings, tools: { pay: payTool(stage) } });
    const override = { prepareCall: prepareCall as never };
    const played = await run(open, stage, { mode, script, tools: {}, override });
    return { wanted: [], may: [200], refused: 1, ...played };
  },
  "provider-executed": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const onStepStart = () => void stage.pay({ price: 600 }, "search");
    const options = { mode, script: ["done"], tools: { search }, settings: { onStepStart } };
    return { wanted: [], refused: 0, ...(await run(open, stage, options)) };
  },
  renamed: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const settle = tool({
      inputSchema: price,
      execute: async (input) => stage.pay(input, "settle"),
    });
    const turns = [[call(200, "settle")], "done"];
    const played = await run(open, stage, { mode, script: turns, tools: { settle } });
    return { wanted: [], refused: 1, ...played };
  },
  generator: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const pay = tool({
      inputSchema: price,
      async *execute(input) {
        yield "paying";
        yield stage.pay(input);
      },
    });
    const played = await run(open, stage, { mode, script, tools: { pay } });
    return { wanted: [200], refused: 1, ...played };
  },
} satisfies Record<string, SeamPlay<Seam>>;
