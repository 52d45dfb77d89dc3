import { guardTools } from "@agentkeys/openai-agents";
import { scriptedModel } from "@agentkeys/testing/openai-agents";
import {
  Agent,
  defineToolInputGuardrail,
  RunContext,
  tool,
  ToolGuardrailFunctionOutputFactory,
} from "@openai/agents-core";
import type { Play } from "../play.ts";
import { call, payTool, price, readBy, run, script, start } from "./run.ts";

/** A run that ends because its caller ended it is one that survived. */
const endedByCaller = { survived: true };

export const calls = {
  direct: async (stage, mode) => {
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  },
  "called directly": async (stage) => {
    const [pay = payTool(stage)] = guardTools(stage.guard, [payTool(stage)]);
    const by = (amount: number) => pay.invoke(new RunContext(), JSON.stringify({ price: amount }));
    const read = [await by(600), await by(200)];
    return { wanted: [200], refused: 1, read, survived: true };
  },
  parallel: async (stage, mode) => {
    const prices = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 200 + i : 600 + i));
    const turns = [prices.map((amount) => call(amount)), "done"];
    const wanted = prices.filter((amount) => amount < 500);
    return { wanted, refused: 6, ...(await run(stage, mode, { script: turns })) };
  },
  "input mutated": async (stage, mode) => {
    // The SDK hands an approval function a copy of its own: this one is the tool's.
    let held: { price?: number } = {};
    const needsApproval = async (_context: RunContext, input: { price?: number }) => {
      held = input;
      return false;
    };
    stage.through((fetch) => async (url, init) => {
      const answer = await fetch(url, init);
      held.price = 600;
      return answer;
    });
    const tools = [payTool(stage, undefined, { needsApproval })];
    const turns = [[call(200)], "done"];
    return { wanted: [200], refused: 0, ...(await run(stage, mode, { script: turns, tools })) };
  },
  retried: async (stage, mode) => {
    let failures = 0;
    const flaky = payTool(
      stage,
      (input) => {
        if (failures++ === 0) throw new Error("flaky");
        return stage.pay(input);
      },
      { errorFunction: null },
    );
    const [guarded = flaky] = guardTools(stage.guard, [flaky]);
    const again = tool({
      name: "pay",
      description: "pays",
      parameters: price,
      execute: async (input, context, details) => {
        const once = () => guarded.invoke(context as never, JSON.stringify(input), details);
        return once().catch(once);
      },
    });
    const model = scriptedModel([[call(200)], [call(600)], "done"]);
    await start(new Agent({ name: "buyer", model, tools: [again] }), mode);
    return { wanted: [200], refused: 1, read: readBy(model), survived: true };
  },
  "call id repeated": async (stage, mode) => {
    const turns = [[call(200, "pay", "same")], [call(600, "pay", "same")], "done"];
    const played = await run(stage, mode, { script: turns });
    // The SDK ends such a run, guarded or not, before anybody is asked about the second call.
    return { wanted: [200], refused: 0, ...played, survived: !played.survived };
  },
  "jump around": async (stage, mode) => {
    const [pay] = guardTools(stage.guard, [payTool(stage)]);
    const jumping = defineToolInputGuardrail({
      name: "jumping",
      run: async ({ context, toolCall }) => {
        const said = (await pay?.invoke(context, toolCall.arguments)) ?? "";
        return ToolGuardrailFunctionOutputFactory.rejectContent(said);
      },
    });
    const around = payTool(stage, undefined, { inputGuardrails: [jumping] });
    const model = scriptedModel(script);
    await start(new Agent({ name: "buyer", model, tools: [around] }), mode);
    return { wanted: [200], refused: 1, read: readBy(model), survived: true };
  },
  throwing: async (stage, mode) => {
    const pay = payTool(stage, (input) => {
      stage.pay(input);
      throw new Error("kaput");
    });
    const turns = [[call(200)], [call(600)], "done"];
    const played = await run(stage, mode, { script: turns, tools: [pay] });
    return { wanted: [200], refused: 1, ...played };
  },
  "timing out": async (stage, mode) => {
    const body = (input: { price: number }, signal: AbortSignal | undefined) => {
      stage.pay(input);
      return new Promise((_, reject) => {
        signal?.addEventListener("abort", () => reject(signal.reason as Error));
      });
    };
    const pay = payTool(stage, body, { timeoutMs: 50 });
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, tools: [pay] })) };
  },
  aborted: async (stage, mode) => {
    const stop = new AbortController();
    stage.through((fetch) => async (url, init) => {
      stop.abort(new Error("never mind"));
      return fetch(url, init);
    });
    const given = { signal: stop.signal };
    const played = await run(stage, mode, { script: [[call(200)], "done"], given });
    return { wanted: [], refused: 0, ...played, ...endedByCaller };
  },
} satisfies Record<string, Play>;
