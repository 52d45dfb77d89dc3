import { z } from "zod";
import type { MultiRoundSession } from "../sessions/multi-round.ts";
import { commitTool, type CoordinationTools, defineCoordinationTool } from "./coordination-tool.ts";
import { statusTool } from "./status-tool.ts";

export const multiRoundTools: CoordinationTools<MultiRoundSession> = {
  multi_round_status: statusTool("multi_round", ({ projection }) => ({
    round: projection.round,
    values: Object.fromEntries(projection.state.values),
    missing: projection.missingParticipants(),
    agreed_value: projection.convergedValue() ?? null,
  })),
  multi_round_contribute: defineCoordinationTool({
    id: "multi_round.contribute",
    title: "Say your value",
    description:
      "Says the value that you are for now. Move towards the others until all say the same.",
    input: z.object({ value: z.string().describe("Your value.") }),
    run: (session: MultiRoundSession, { value }, options) => session.contribute(value, options),
  }),
  multi_round_commit: commitTool("multi_round", "Ends the session, once all say the same."),
};
