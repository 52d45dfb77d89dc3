import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { ToolLoopAgent, type ToolExecutionOptions, type ToolSet } from "ai";
import { call, payTool, readBy, script, start } from "../../matrix/ai-sdk/run.ts";
import type { SeamPlay } from "../peer.ts";
import { agentOf, run } from "./run.ts";
import { survives } from "../survives.ts";
import type { Seam } from "./seam.ts";

export const calls = {
  direct: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    return { wanted: [200], refused: 1, ...(await run(open, stage, { mode, script })) };
  },
  "called directly": async (seam, stage) => {
    const { agent } = agentOf(await seam.open(stage), stage, { script: ["done"] });
    const options = { toolCallId: "by hand", messages: [], context: undefined as never };
    const said = Promise.resolve(
      agent.tools["pay"]?.execute?.({ price: 600 } as never, options),
    ).catch(String);
    return { wanted: [], refused: 1, read: [String(await said)], survived: true };
  },
  parallel: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const prices = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 200 + i : 600 + i));
    const turns = [prices.map((amount) => call(amount)), "done"];
    const wanted = prices.filter((amount) => amount < 500);
    return { wanted, refused: 6, ...(await run(open, stage, { mode, script: turns })) };
  },
  "input mutated": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    let held: { price?: number } = {};
    const pay = {
      ...payTool(stage),
      onInputAvailable: ({ input }: { input: object }) => void (held = input),
    };
    stage.policy.beforeAnswer = () => queueMicrotask(() => (held.price = 600));
    const turns = [[call(200)], "done"];
    const played = await run(open, stage, { mode, script: turns, tools: { pay } });
    return { wanted: [], may: [200], refused: 0, ...played };
  },
  retried: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    let failures = 0;
    const flaky = payTool(stage, (input) => {
      if (failures++ === 0) throw new Error("flaky");
      return stage.pay(input);
    });
    const pay: ToolSet[string] = open.tools?.({ pay: flaky })["pay"] ?? flaky;
    const again = {
      ...pay,
      execute: async (input: never, options: ToolExecutionOptions<never>) => {
        try {
          return await pay.execute?.(input, options);
        } catch {
          return pay.execute?.(input, options);
        }
      },
    } as ToolSet[string];
    const model = scriptedModel([[call(200)], [call(600)], "done"]);
    const settings = { model, tools: { pay: again } };
    const agent = new ToolLoopAgent<never, ToolSet>(
      open.tools === undefined ? open.agent(settings) : settings,
    );
    const survived = await survives(start(agent, mode));
    return { wanted: [200], refused: 1, read: readBy(model), survived };
  },
  "call id repeated": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const turns = [[call(200, "pay", "same")], [call(600, "pay", "same")], "done"];
    return { wanted: [200], refused: 1, ...(await run(open, stage, { mode, script: turns })) };
  },
  "per-run override": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const override = { toolApproval: () => "approved" as const };
    return { wanted: [200], refused: 1, ...(await run(open, stage, { mode, script, override })) };
  },
  "jump around": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    let agent: ToolLoopAgent<never, ToolSet> | undefined;
    const read: string[] = [];
    const prepareStep = async ({ messages }: { messages: never[] }) => {
      if (read.length > 0) return {};
      const options = { toolCallId: "outside", messages, context: undefined as never };
      const pay = agent?.tools["pay"]?.execute;
      const said = Promise.resolve(pay?.({ price: 600 } as never, options));
      read.push(String(await said.catch(String)));
      return {};
    };
    const settings = { prepareStep: prepareStep as never };
    ({ agent } = agentOf(open, stage, { script: ["done"], settings }));
    const survived = await survives(start(agent, mode));
    return { wanted: [], refused: 1, read, survived };
  },
  throwing: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const pay = payTool(stage, (input) => {
      stage.pay(input);
      throw new Error("kaput");
    });
    const turns = [[call(200)], [call(600)], "done"];
    const played = await run(open, stage, { mode, script: turns, tools: { pay } });
    return { wanted: [200], refused: 1, ...played };
  },
  "timing out": async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const pay = payTool(stage, (input, { abortSignal }) => {
      stage.pay(input);
      return new Promise((_, reject) => {
        abortSignal?.addEventListener("abort", () => reject(abortSignal.reason as Error));
      });
    });
    const given = { timeout: { toolMs: 50 } };
    const played = await run(open, stage, { mode, script, tools: { pay }, given });
    return { wanted: [200], refused: 1, ...played };
  },
  aborted: async (seam, stage, mode) => {
    const open = await seam.open(stage);
    const stop = new AbortController();
    stage.policy.beforeAnswer = () => stop.abort(new Error("never mind"));
    const given = { abortSignal: stop.signal };
    const played = await run(open, stage, { mode, script: [[call(200)], "done"], given });
    return { wanted: [], refused: 0, ...played, survived: true };
  },
} satisfies Record<string, SeamPlay<Seam>>;
