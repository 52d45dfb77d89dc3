import { type ApprovalRequest, guardTools } from "@agentkeys/ai-sdk";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { isStepCount, type ToolExecutionOptions, ToolLoopAgent, type ToolSet } from "ai";
import type { Play } from "../play.ts";
import { call, payTool, readBy, run, script, start } from "./run.ts";

/** A run that ends because its caller ended it is one that survived. */
const endedByCaller = { survived: true };

export const calls = {
  direct: async (stage, mode) => {
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  },
  "called directly": async (stage) => {
    const { pay } = guardTools(stage.guard, { pay: payTool(stage) });
    const options = { toolCallId: "by hand", messages: [], context: {} };
    const by = (amount: number) =>
      Promise.resolve(pay.execute?.({ price: amount }, options)).catch(String);
    const read = [String(await by(600)), String(await by(200))];
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
    const holding = {
      ...payTool(stage),
      onInputAvailable: ({ input }: { input: object }) => void (held = input),
    };
    stage.through((fetch) => async (url, init) => {
      const answer = await fetch(url, init);
      held.price = 600;
      return answer;
    });
    const stop = new AbortController();
    const given = { abortSignal: stop.signal };
    const turns = [[call(200)], "done"];
    const played = await run(stage, mode, { script: turns, tools: { pay: holding }, given });
    // Ends what the seam has kept for the object.
    stop.abort();
    return { wanted: [], refused: 1, ...played };
  },
  retried: async (stage, mode) => {
    let failures = 0;
    const flaky = payTool(stage, (input) => {
      if (failures++ === 0) throw new Error("flaky");
      return stage.pay(input);
    });
    const { pay } = guardTools(stage.guard, { pay: flaky });
    const again = {
      ...pay,
      execute: async (
        input: { price: number },
        options: ToolExecutionOptions<Record<string, unknown>>,
      ) => {
        try {
          return await pay.execute?.(input, options);
        } catch {
          return pay.execute?.(input, options);
        }
      },
    };
    const model = scriptedModel([[call(200)], [call(600)], "done"]);
    await start(new ToolLoopAgent<never, ToolSet>({ model, tools: { pay: again } }), mode);
    return { wanted: [200], refused: 1, read: readBy(model), survived: true };
  },
  "call id repeated": async (stage, mode) => {
    const turns = [[call(200, "pay", "same")], [call(600, "pay", "same")], "done"];
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script: turns })) };
  },
  "per-run override": async (stage, mode) => {
    const override = { toolApproval: () => "approved" as const, stopWhen: isStepCount(9) };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, override })) };
  },
  "jump around": async (stage, mode) => {
    const toolApproval = async ({ tools, toolCall, messages }: ApprovalRequest) => {
      const { toolName, toolCallId, input } = toolCall;
      const reason = await tools?.[toolName]?.execute?.(input as never, {
        toolCallId,
        messages,
        context: undefined as never,
      });
      return { type: "denied" as const, reason: String(reason) };
    };
    const played = await run(stage, mode, { script, settings: { toolApproval } });
    return { wanted: [200], refused: 1, ...played };
  },
  throwing: async (stage, mode) => {
    const pay = payTool(stage, (input) => {
      stage.pay(input);
      throw new Error("kaput");
    });
    const turns = [[call(200)], [call(600)], "done"];
    return {
      wanted: [200],
      refused: 1,
      ...(await run(stage, mode, { script: turns, tools: { pay } })),
    };
  },
  "timing out": async (stage, mode) => {
    const pay = payTool(stage, (input, { abortSignal }) => {
      stage.pay(input);
      return new Promise((_, reject) => {
        abortSignal?.addEventListener("abort", () => reject(abortSignal.reason as Error));
      });
    });
    const given = { timeout: { toolMs: 50 } };
    return {
      wanted: [200],
      refused: 1,
      ...(await run(stage, mode, { script, tools: { pay }, given })),
    };
  },
  aborted: async (stage, mode) => {
    const stop = new AbortController();
    stage.through((fetch) => async (url, init) => {
      stop.abort(new Error("never mind"));
      return fetch(url, init);
    });
    const given = { abortSignal: stop.signal };
    const played = await run(stage, mode, { script: [[call(200)], "done"], given });
    return { wanted: [], refused: 0, ...played, ...endedByCaller };
  },
} satisfies Record<string, Play>;
