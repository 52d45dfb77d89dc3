import type { ToolApprovalStatus } from "ai";
import type { Words } from "../policy.ts";
import type { Seam } from "./seam.ts";

const words: Words<ToolApprovalStatus> = {
  allow: "approved",
  ask: "user-approval",
  deny: { type: "denied", reason: "over 500" },
  none: undefined,
};

const notes: Seam["notes"] = {
  "jump around": "a `prepareStep` that runs the agent's own tool.",
  "resumed early": "the client's answer is the decision.",
  "sub-agent, guarded objects": "it guards agents, not tool objects.",
  "record fails": "it has no place for a record.",
};

/** `toolApproval` as a function for all tools. */
export const approval: Seam = {
  name: "AI SDK toolApproval",
  join: "one function for all tools, which hands on what the policy says in the SDK's own words.",
  records: false,
  asks: true,
  notes,
  open: async ({ policy }) => ({
    agent: (settings) => ({
      ...settings,
      toolApproval: ({ toolCall: { toolName, input } }) => policy.answer(toolName, input, words),
    }),
  }),
};

/** The same, with approvals in the client's history signed. */
export const signed: Seam = {
  ...approval,
  name: "AI SDK toolApproval, signed",
  join: "the same with `experimental_toolApprovalSecret`.",
  open: async (stage) => {
    const { agent } = await approval.open(stage);
    const experimental_toolApprovalSecret = "a secret that is used in this run only";
    return { agent: (settings) => ({ ...agent(settings), experimental_toolApprovalSecret }) };
  },
};
