import { AgentKeysError } from "@agentkeys/contract";
import type { Handler } from "./handler.ts";

/** Looks at no argument and at no actor, as upstream's. */
export const notImplemented: Handler = () => {
  const code = "not_implemented_in_v1";
  throw new AgentKeysError(code, code, {
    data: {
      error: code,
      scheduled_for: "M4",
      spec_url:
        "https://github.com/litentry/agentKeys/blob/main/docs/plan/milestones-roadmap.md#m4",
    },
  });
};
