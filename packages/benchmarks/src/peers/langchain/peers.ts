import type { Peer } from "../peer.ts";
import { approvals } from "./approvals.ts";
import { calls } from "./calls.ts";
import { reaching } from "./reaching.ts";

export const langchainHitl: Peer = {
  name: "LangChain HITL",
  join: "`humanInTheLoopMiddleware` with a `when` on `pay` that hands on what the policy says. It can only ask, so the host rejects at once what the policy denies.",
  records: false,
  plays: { ...calls, ...reaching, ...approvals },
  notes: {
    "resumed early": "the client's answer is the decision.",
    "sub-agent, guarded objects": "it guards agents, not tool objects.",
    background:
      "an interrupt inside a tool belongs to the outer run, which has gone on without waiting for it.",
    "record fails": "it has no place for a record.",
  },
};
