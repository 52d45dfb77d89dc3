import { guardTools } from "@agentkeys/mastra";
import { createTool, type ToolHookContext } from "@mastra/core/tools";
import { createStep, createWorkflow } from "@mastra/core/workflows";
import { z } from "zod";
import type { Play } from "../play.ts";
import { call, payTool, price, run, script } from "./run.ts";

/** A run that ends because its caller ended it is one that survived. */
const endedByCaller = { survived: true };

export const calls = {
  direct: async (stage, mode) => {
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  },
  "called directly": async (stage) => {
    const { pay } = guardTools(stage.guard, { pay: payTool(stage) });
    const by = (amount: number) => pay.execute?.({ price: amount }, {} as never);
    const read = [JSON.stringify(await by(600)), JSON.stringify(await by(200))];
    return { wanted: [200], refused: 1, read, survived: true };
  },
  parallel: async (stage, mode) => {
    const prices = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 200 + i : 600 + i));
    const turns = [prices.map((amount) => call(amount)), "done"];
    const wanted = prices.filter((amount) => amount < 500);
    return { wanted, refused: 6, ...(await run(stage, mode, { script: turns })) };
  },
  "input mutated": async (stage, mode) => {
    let held: { price?: number } = {};
    const beforeToolCall = ({ input }: ToolHookContext) => void (held = input as object);
    stage.through((fetch) => async (url, init) => {
      const answer = await fetch(url, init);
      held.price = 600;
      return answer;
    });
    const turns = [[call(200)], "done"];
    const config = { hooks: { beforeToolCall } };
    return { wanted: [200], refused: 0, ...(await run(stage, mode, { script: turns, config })) };
  },
  retried: async (stage) => {
    let failures = 0;
    const flaky = createTool({
      id: "pay",
      description: "pays",
      inputSchema: price,
      outputSchema: z.string(),
      execute: async (input) => {
        if (failures++ === 0) throw new Error("flaky");
        return stage.pay(input);
      },
    });
    const { pay } = guardTools(stage.guard, { pay: flaky });
    const workflow = createWorkflow({ id: "w", inputSchema: price, outputSchema: z.any() })
      .then(createStep(pay, { retries: 1 }))
      .commit();
    const read = [];
    for (const amount of [200, 600]) {
      const ran = await (await workflow.createRun()).start({ inputData: { price: amount } });
      read.push(JSON.stringify(ran));
    }
    return { wanted: [200], refused: 1, read, survived: true };
  },
  "call id repeated": async (stage, mode) => {
    const turns = [[call(200, "pay", "same")], [call(600, "pay", "same")], "done"];
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script: turns })) };
  },
  "per-run override": async (stage, mode) => {
    const hooks = { beforeToolCall: () => undefined, afterToolCall: () => undefined };
    const options = { hooks, requireToolApproval: false, toolCallConcurrency: 10 };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, options })) };
  },
  "jump around": async (stage, mode) => {
    const { pay } = guardTools(stage.guard, { pay: payTool(stage) });
    const beforeToolCall = async ({ input, context }: ToolHookContext) => ({
      proceed: false as const,
      output: await pay.execute?.(input as never, context as never),
    });
    const config = { hooks: { beforeToolCall } };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, config })) };
  },
  throwing: async (stage, mode) => {
    const throwing = payTool(stage, (input) => {
      stage.pay(input);
      throw new Error("kaput");
    });
    const turns = [[call(200)], [call(600)], "done"];
    const played = await run(stage, mode, { script: turns, tools: { pay: throwing } });
    return { wanted: [200], refused: 1, ...played };
  },
  "timing out": async (stage, mode) => {
    const stop = new AbortController();
    const slow = payTool(stage, (input) => {
      stage.pay(input);
      stop.abort(new Error("too late"));
      return Promise.reject(stop.signal.reason as Error);
    });
    const options = { abortSignal: stop.signal };
    const played = await run(stage, mode, { script, tools: { pay: slow }, options });
    return { wanted: [200], refused: 1, ...played, ...endedByCaller };
  },
  aborted: async (stage, mode) => {
    const stop = new AbortController();
    stage.through((fetch) => async (url, init) => {
      stop.abort(new Error("never mind"));
      return fetch(url, init);
    });
    const options = { abortSignal: stop.signal };
    const turns = [[call(200)], "done"];
    const played = await run(stage, mode, { script: turns, options });
    return { wanted: [], refused: 0, ...played, ...endedByCaller };
  },
} satisfies Record<string, Play>;
