import type { Accepted } from "../client/session-info.ts";
import {
  createMultiRoundProjection,
  type MultiRoundProjection,
} from "../projections/multi-round.ts";
import type { ModeDefinition } from "./mode-session.ts";
import type { SendOptions, Session } from "./session-surface.ts";
import { filled } from "./words.ts";

export interface MultiRoundVerbs {
  /** As often as one likes, until everyone's latest value is the same. */
  contribute(value: string, options?: SendOptions): Promise<Accepted>;
}

export type MultiRoundSession = Session<"multiRound", MultiRoundProjection> & MultiRoundVerbs;

export const multiRoundMode: ModeDefinition<"multiRound", MultiRoundProjection, MultiRoundVerbs> = {
  key: "multiRound",
  project: createMultiRoundProjection,
  verbs: ({ send }) => ({
    async contribute(value, options) {
      filled({ value });
      return send("Contribute", { value }, options);
    },
  }),
};
