import { createTool, type ToolHookContext } from "@mastra/core/tools";
import { call, payTool, price, script } from "../../matrix/mastra/run.ts";
import type { SeamPlay } from "../peer.ts";
import type { PolicyFault } from "../policy.ts";
import { agentOf, run, type Seam } from "./seam.ts";

const turnsOfTwo = [[call(200), call(100)], "done"] as const;

const policy =
  (fault: PolicyFault): SeamPlay<Seam> =>
  async (seam, stage, mode) => {
    stage.policy.fault = fault;
    const played = await run(seam.open(stage), stage, { mode, script: turnsOfTwo });
    // A run that waits for a person has refused nothing yet.
    const refused = played.waits ? 0 : 2;
    return { wanted: [], refused, ...played, recordable: false };
  };

const record =
  (fault: "fails" | "hangs"): SeamPlay<Seam> =>
  (seam, stage, mode) => {
    const play = async () => {
      stage.sinkFault = fault;
      const played = await run(seam.open(stage), stage, { mode, script: turnsOfTwo });
      return { wanted: [], refused: 2, ...played, recordable: false };
    };
    return seam.records ? play() : null;
  };

export const calls = {
  "policy down": () => null,
  "policy throws": policy("throws"),
  "policy hangs": policy("hangs"),
  "policy garbage": policy("garbage"),
  "record fails": record("fails"),
  "record hangs": record("hangs"),
  direct: async (seam, stage, mode) => {
    return {
      wanted: [200],
      refused: 1,
      ...(await run(seam.open(stage), stage, { mode, script })),
    };
  },
  "called directly": async (seam, stage) => {
    const { agent } = agentOf(seam.open(stage), stage, { script: ["done"] });
    const { pay } = await agent.listTools();
    const read = await (pay as ReturnType<typeof payTool>).execute?.({ price: 600 }, {} as never);
    return { wanted: [], refused: 1, read: [JSON.stringify(read)], survived: true };
  },
  parallel: async (seam, stage, mode) => {
    const prices = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 200 + i : 600 + i));
    const turns = [prices.map((amount) => call(amount)), "done"];
    const wanted = prices.filter((amount) => amount < 500);
    const played = await run(seam.open(stage), stage, { mode, script: turns });
    return { wanted, refused: 6, ...played };
  },
  "input mutated": async (seam, stage, mode) => {
    let held: { price?: number } = {};
    const pay = createTool({
      id: "pay",
      description: "pays",
      inputSchema: price,
      onInputAvailable: ({ input }: { input: unknown }) => void (held = input as object),
      execute: async (input) => stage.pay(input),
    });
    const answer = stage.policy.answer.bind(stage.policy);
    stage.policy.answer = (tool, input, words) => {
      // What the peer itself is given, where that is what runs.
      held = input as object;
      return answer(tool, input, words);
    };
    stage.policy.beforeAnswer = () => queueMicrotask(() => (held.price = 600));
    const options = { mode, script: [[call(200)], "done"], tools: { pay } };
    const played = await run(seam.open(stage), stage, options);
    return { wanted: [], may: [200], refused: 0, ...played };
  },
  retried: () => null,
  "call id repeated": async (seam, stage, mode) => {
    const turns = [[call(200, "pay", "same")], [call(600, "pay", "same")], "done"];
    const played = await run(seam.open(stage), stage, { mode, script: turns });
    return { wanted: [200], refused: 1, ...played };
  },
  "per-run override": async (seam, stage, mode) => {
    const options = { ...seam.override };
    const played = await run(seam.open(stage), stage, { mode, script, options });
    return { wanted: [200], refused: 1, ...played };
  },
  "jump around": (seam, stage, mode) => {
    const open = seam.open(stage);
    const pay = payTool(stage);
    const beforeToolCall = async ({ input, context }: ToolHookContext) => ({
      proceed: false as const,
      output: await pay.execute?.(input as never, context as never),
    });
    const config = { hooks: { beforeToolCall } };
    const play = async () => {
      const played = await run(open, stage, { mode, script, tools: { pay }, config });
      return { wanted: [200], refused: 1, ...played };
    };
    return seam.notes["jump around"] === undefined ? play() : null;
  },
  throwing: async (seam, stage, mode) => {
    const pay = payTool(stage, (input) => {
      stage.pay(input);
      throw new Error("kaput");
    });
    const options = { mode, script: [[call(200)], [call(600)], "done"], tools: { pay } };
    const played = await run(seam.open(stage), stage, options);
    return { wanted: [200], refused: 1, ...played };
  },
  "timing out": async (seam, stage, mode) => {
    const stop = new AbortController();
    const pay = payTool(stage, (input) => {
      stage.pay(input);
      stop.abort(new Error("too late"));
      return Promise.reject(stop.signal.reason as Error);
    });
    const options = { abortSignal: stop.signal };
    const played = await run(seam.open(stage), stage, { mode, script, tools: { pay }, options });
    return { wanted: [200], refused: 1, ...played, survived: true };
  },
  aborted: async (seam, stage, mode) => {
    const stop = new AbortController();
    stage.policy.beforeAnswer = () => stop.abort(new Error("never mind"));
    const options = { abortSignal: stop.signal };
    const turns = [[call(200)], "done"];
    const played = await run(seam.open(stage), stage, { mode, script: turns, options });
    return { wanted: [], refused: 0, ...played, survived: true };
  },
} satisfies Record<string, SeamPlay<Seam>>;
