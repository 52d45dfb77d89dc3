import { guardTools } from "@agentkeys/langchain";
import { createMiddleware } from "langchain";
import type { Play } from "../play.ts";
import { call, payTool, run, script, start } from "./run.ts";

/** A run that ends because its caller ended it is one that survived. */
const endedByCaller = { survived: true };

export const calls = {
  direct: async (stage, mode) => {
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  },
  "called directly": async (stage, mode) => {
    const [pay] = guardTools(stage.guard, [payTool(stage)]);
    await start({ graph: pay }, mode, { input: { price: 200 } });
    const said: unknown = await pay.invoke({ price: 600 });
    await start({ graph: pay }, mode, { input: { price: 600 } });
    const { text } = Object(said) as { text?: string };
    return { wanted: [200], refused: 1, read: [text ?? ""], survived: true };
  },
  parallel: async (stage, mode) => {
    const prices = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 200 + i : 600 + i));
    const turns = [prices.map((amount) => call(amount)), "done"];
    const wanted = prices.filter((amount) => amount < 500);
    return { wanted, refused: 6, ...(await run(stage, mode, { script: turns })) };
  },
  "input mutated": async (stage, mode) => {
    let held: { price?: number } = {};
    const holding = createMiddleware({
      name: "Holding",
      wrapToolCall: (request, handler) => {
        held = request.toolCall.args;
        return handler(request);
      },
    });
    stage.through((fetch) => async (url, init) => {
      const answer = await fetch(url, init);
      held.price = 600;
      return answer;
    });
    const turns = [[call(200)], "done"];
    const played = await run(stage, mode, { script: turns, middleware: [holding] });
    return { wanted: [200], refused: 0, ...played };
  },
  retried: async (stage, mode) => {
    let failures = 0;
    const flaky = payTool(stage, (input) => {
      if (failures++ === 0) throw new Error("flaky");
      return stage.pay(input);
    });
    const again = createMiddleware({
      name: "Again",
      wrapToolCall: async (request, handler) => {
        try {
          return await handler(request);
        } catch {
          return handler(request);
        }
      },
    });
    const turns = [[call(200)], [call(600)], "done"];
    const played = await run(stage, mode, { script: turns, tools: [flaky], middleware: [again] });
    return { wanted: [200], refused: 1, ...played };
  },
  "call id repeated": async (stage, mode) => {
    const turns = [[call(200, "pay", "same")], [call(600, "pay", "same")], "done"];
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script: turns })) };
  },
  "per-run override": async (stage, mode) => {
    const options = { callbacks: [], configurable: { middleware: [] }, metadata: {}, tags: [] };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, options })) };
  },
  "jump around": async (stage, mode) => {
    const around = createMiddleware({
      name: "JumpAround",
      wrapToolCall: ({ tool: object, toolCall }) =>
        (object as ReturnType<typeof payTool>).invoke({ ...toolCall, type: "tool_call" }) as never,
    });
    const played = await run(stage, mode, { script, middleware: [around] });
    return { wanted: [200], refused: 1, ...played };
  },
  throwing: async (stage, mode) => {
    const throwing = payTool(stage, (input) => {
      stage.pay(input);
      throw new Error("kaput");
    });
    const turns = [[call(200)], [call(600)], "done"];
    const played = await run(stage, mode, { script: turns, tools: [throwing] });
    return { wanted: [200], refused: 1, ...played };
  },
  "timing out": async (stage, mode) => {
    const stop = new AbortController();
    const slow = payTool(stage, (input) => {
      stage.pay(input);
      stop.abort(new Error("too late"));
      return new Promise<string>(() => {}) as never;
    });
    const options = { signal: stop.signal };
    const played = await run(stage, mode, { script, tools: [slow], options });
    return { wanted: [200], refused: 1, ...played, ...endedByCaller };
  },
  aborted: async (stage, mode) => {
    const stop = new AbortController();
    stage.through((fetch) => async (url, init) => {
      stop.abort(new Error("never mind"));
      return fetch(url, init);
    });
    const options = { signal: stop.signal };
    const turns = [[call(200)], "done"];
    const played = await run(stage, mode, { script: turns, options });
    return { wanted: [], refused: 0, ...played, ...endedByCaller };
  },
} satisfies Record<string, Play>;
