import { createMiddleware } from "langchain";
import { call, payTool, script } from "../../matrix/langchain/run.ts";
import type { PeerPlay } from "../peer.ts";
import type { PolicyFault } from "../policy.ts";
import { run } from "./hitl.ts";

const failing =
  (fault: PolicyFault): PeerPlay =>
  async (stage, mode) => {
    stage.policy.fault = fault;
    const turns = [[call(200), call(100)], "done"];
    const played = await run(stage, mode, { script: turns });
    return { wanted: [], refused: 2, ...played, recordable: false };
  };

export const calls = {
  direct: async (stage, mode) => {
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  },
  "called directly": async (stage) => {
    const read = String(await payTool(stage).invoke({ price: 600 }));
    return { wanted: [], refused: 1, read: [read], survived: true };
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
      wrapModelCall: async (request, handler) => {
        const said = await handler(request);
        held = said.tool_calls?.[0]?.args ?? {};
        return said;
      },
    });
    stage.policy.beforeAnswer = () => queueMicrotask(() => (held.price = 600));
    const turns = [[call(200)], "done"];
    const played = await run(stage, mode, { script: turns, middleware: [holding] });
    return { wanted: [], may: [200], refused: 0, ...played };
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
    const options = { context: { interruptOn: {} } };
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
    return { wanted: [200], refused: 1, ...played, survived: true };
  },
  aborted: async (stage, mode) => {
    const stop = new AbortController();
    stage.policy.beforeAnswer = () => stop.abort(new Error("never mind"));
    const options = { signal: stop.signal };
    const played = await run(stage, mode, { script: [[call(200)], "done"], options });
    return { wanted: [], refused: 0, ...played, survived: true };
  },
  "policy down": () => null,
  "policy throws": failing("throws"),
  "policy hangs": failing("hangs"),
  "policy garbage": failing("garbage"),
  "record fails": () => null,
  "record hangs": () => null,
} satisfies Record<string, PeerPlay>;
