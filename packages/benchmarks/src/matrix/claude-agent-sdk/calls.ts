import type { HookCallback, Options } from "@anthropic-ai/claude-agent-sdk";
import type { Play } from "../play.ts";
import { call, free, payTool, run, script, shopOf } from "./run.ts";

/** A run that ends because its caller ended it is one that survived. */
const endedByCaller = { survived: true };

const preToolUse = (hook: HookCallback): Options => ({
  ...free,
  hooks: { PreToolUse: [{ hooks: [hook] }] },
});

export const calls = {
  direct: async (stage, mode) => {
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script })) };
  },
  parallel: async (stage, mode) => {
    const prices = Array.from({ length: 12 }, (_, i) => (i % 2 === 0 ? 200 + i : 600 + i));
    const turns = [prices.map((amount) => call(amount)), "done"];
    const wanted = prices.filter((amount) => amount < 500);
    return { wanted, refused: 6, ...(await run(stage, mode, { script: turns })) };
  },
  "input mutated": async (stage, mode) => {
    const hookEventName = "PreToolUse";
    const options = preToolUse(async () => ({
      hookSpecificOutput: { hookEventName, updatedInput: { price: 600 } },
    }));
    const played = await run(stage, mode, { script: [[call(200)], "done"], options });
    return { wanted: [], refused: 1, ...played };
  },
  retried: async (stage, mode) => {
    let failures = 0;
    const flaky = payTool(stage, (input) => {
      if (failures++ === 0) throw new Error("flaky");
      return stage.pay(input);
    });
    const turns = [[call(200)], [call(200)], [call(600)], "done"];
    return {
      wanted: [200],
      refused: 1,
      ...(await run(stage, mode, { script: turns, tools: [flaky] })),
    };
  },
  "call id repeated": async (stage, mode) => {
    const turns = [[call(200, undefined, "same")], [call(600, undefined, "same")], "done"];
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script: turns })) };
  },
  "per-run override": async (stage, mode) => {
    // What runs in this process decides for itself; what Claude Code runs is decided by the hooks alone.
    const turns = [[call(600)], [call(200)], [call(601, "pay")], "done"];
    const scripted = { builtins: { pay: (input: { price: number }) => stage.pay(input) } };
    const played = await run(stage, mode, { script: turns, scripted, override: { hooks: {} } });
    return { wanted: [200], refused: 2, ...played };
  },
  "jump around": async (stage, mode) => {
    const shop = shopOf([payTool(stage)]);
    const { _registeredTools: tools } = shop.instance as unknown as {
      _registeredTools: { pay: { handler(input: unknown, extra: object): Promise<object> } };
    };
    const around = preToolUse(async (hook, id) => {
      const { tool_input: input } = hook as { tool_input?: unknown };
      const extra = { _meta: { "claudecode/toolUseId": id } };
      const answer = tools.pay.handler(input, extra).then(JSON.stringify, String);
      const denied = {
        permissionDecision: "deny",
        permissionDecisionReason: await answer,
      } as const;
      return { hookSpecificOutput: { hookEventName: "PreToolUse", ...denied } };
    });
    const options = { ...around, mcpServers: { shop } };
    return { wanted: [200], refused: 1, ...(await run(stage, mode, { script, options })) };
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
      ...(await run(stage, mode, { script: turns, tools: [pay] })),
    };
  },
  "timing out": async (stage, mode) => {
    const abortController = new AbortController();
    const pay = payTool(stage, (input, { signal }) => {
      stage.pay(input);
      return new Promise((_, reject) => {
        signal.addEventListener("abort", () => reject(signal.reason as Error));
        abortController.abort(new Error("too late"));
      });
    });
    const options = { ...free, abortController };
    const played = await run(stage, mode, { script, tools: [pay], options });
    return { wanted: [200], refused: 1, ...played, ...endedByCaller };
  },
  aborted: async (stage, mode) => {
    const abortController = new AbortController();
    stage.through((fetch) => async (url, init) => {
      abortController.abort(new Error("never mind"));
      return fetch(url, init);
    });
    const options = { ...free, abortController };
    const played = await run(stage, mode, { script: [[call(200)], "done"], options });
    return { wanted: [], refused: 0, ...played, ...endedByCaller };
  },
} satisfies Record<string, Play>;
