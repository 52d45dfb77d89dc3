import type { ToolAfterHookContext, ToolHookContext } from "@mastra/core/tools";
import { wordFor, type Words } from "../policy.ts";
import type { Seam } from "./seam.ts";

type Answer = { proceed: false; output: object } | "ask" | undefined;

const words: Words<Answer> = {
  allow: undefined,
  ask: "ask",
  deny: { proceed: false, output: { error: true, message: "over 500" } },
  none: undefined,
};

interface Suspending {
  readonly resumeData?: { readonly approved?: boolean };
  suspend(payload: object): Promise<unknown>;
}

const notes: Seam["notes"] = {
  "resumed early": "the client's answer is the decision.",
  "sub-agent, guarded objects": "it guards agents, not tool objects.",
  retried: "what retries is a workflow's step, which no agent runs.",
};

/** `hooks`: before the tool it may stop the call or suspend it, after it sees how it ended. */
export const hooks: Seam = {
  name: "Mastra hooks",
  join: "`beforeToolCall` hands on what the policy says, an ask suspends there; `afterToolCall` is its record.",
  records: true,
  notes: { ...notes, "jump around": "an agent has one such hook, and this is it." },
  override: { hooks: { beforeToolCall: () => undefined } },
  open: ({ policy, sink }) => ({
    config: {
      hooks: {
        beforeToolCall: async ({ toolName, input, context }: ToolHookContext) => {
          const answer = await policy.answer(toolName, input, words);
          if (answer !== "ask") return answer;
          const { resumeData, suspend } = context as Suspending;
          if (resumeData?.approved === true) return undefined;
          await suspend({ toolName, input });
          return { proceed: false, output: undefined };
        },
        afterToolCall: ({ toolName }: ToolAfterHookContext) =>
          sink({ tool: toolName, refused: false }),
      },
    },
  }),
};

const asks: Words<boolean> = { allow: false, ask: true, deny: true, none: false };

/** `requireToolApproval`: it can only ask, so the host declines at once what the policy denies. */
export const requireToolApproval: Seam = {
  name: "Mastra requireToolApproval",
  join: "a function that hands on what the policy says. It can only ask, so the host declines at once what the policy denies.",
  records: false,
  notes: { ...notes, "record fails": "it has no place for a record." },
  override: { requireToolApproval: false },
  open({ policy }) {
    let last: ReturnType<typeof wordFor> = "none";
    const ask = ({ toolName, args }: { toolName: string; args: object }): Promise<boolean> => {
      const word = wordFor(toolName, args);
      // Asks come one after another, so what waits is what was asked about last.
      if (asks[word]) last = word;
      return policy.answer(toolName, args, asks);
    };
    return {
      config: { defaultOptions: { requireToolApproval: ask } },
      declines: () => last === "deny",
    };
  },
};
