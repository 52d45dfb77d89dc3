import type { Options } from "@anthropic-ai/claude-agent-sdk";
import type { Play } from "../play.ts";
import type { Stage } from "../stage.ts";
import { call, type Given, run } from "./run.ts";

const waiting = (stage: Stage, waitMs = 20_000) => stage.guardWith({ approval: { waitMs } });

/** A run in Claude Code's own tool, which only the hook decides on. */
const asking = (stage: Stage, sessionId?: string, prices = [450]): Given => ({
  script: [prices.map((price) => call(price, "pay")), "done"],
  guard: waiting(stage),
  scripted: {
    builtins: { pay: (input: { price: number }) => stage.pay(input) },
    ...(sessionId !== undefined && { sessionId }),
  },
});

/** As soon as something is asked. */
async function decide(stage: Stage, outcome: "approve" | "deny", price?: number): Promise<void> {
  const isAsked = async (): Promise<boolean> => {
    const asked = await stage.operator.approvals.list({ status: "pending" });
    return asked.some(({ params }) => (price ?? params["amount_rmb"]) === params["amount_rmb"]);
  };
  while (!(await isAsked())) await new Promise((next) => setTimeout(next, 5));
  await stage.decide(outcome, price);
}

const saysYes = (price: number): Options => ({
  canUseTool: async () => ({ behavior: "allow", updatedInput: { price } }),
});

export const approvals = {
  resumed: async (stage, mode) => {
    const [played] = await Promise.all([run(stage, mode, asking(stage)), decide(stage, "approve")]);
    return { wanted: [450], refused: 0, ...played };
  },
  "two asks": async (stage, mode) => {
    const [played] = await Promise.all([
      run(stage, mode, asking(stage, undefined, [450, 460])),
      decide(stage, "approve", 450),
      decide(stage, "deny", 460),
    ]);
    return { wanted: [450], refused: 1, ...played };
  },
  "resumed twice at once": async (stage, mode) => {
    const both = [1, 2].map(() => run(stage, mode, asking(stage, "one session")));
    await decide(stage, "approve");
    await Promise.all(both);
    return { wanted: [450], refused: 0, read: [], survived: true };
  },
  "resumed early": async (stage, mode) => {
    const played = await run(stage, mode, { ...asking(stage), guard: waiting(stage, 20) });
    return { wanted: [], refused: 1, ...played };
  },
  "edited after approval": async (stage, mode) => {
    const played = run(stage, mode, { ...asking(stage), options: saysYes(460) });
    await decide(stage, "approve");
    await decide(stage, "deny");
    return { wanted: [], refused: 1, ...(await played) };
  },
  "forged approval": async (stage, mode) => {
    const given = { ...asking(stage), guard: stage.guard, options: saysYes(450) };
    return { wanted: [], refused: 1, ...(await run(stage, mode, given)) };
  },
} satisfies Record<string, Play>;
