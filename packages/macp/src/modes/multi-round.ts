import type { ContributePayload } from "../generated/macp/modes/multi_round/v1/multi_round_pb.ts";
import { refuse } from "../kernel/refusal.ts";
import { contributionOf } from "../protocol/contribution.ts";
import { toJson } from "./json.ts";
import { defineMode } from "./mode.ts";

interface MultiRoundState {
  /** How often a value was new or changed. */
  round: number;
  participants: readonly string[];
  /** The latest of each participant. */
  contributions: Map<string, string>;
  convergence_type: "all_equal";
  converged: boolean;
}

function decode(bytes: Uint8Array): ContributePayload | undefined {
  try {
    return contributionOf(bytes);
  } catch {
    return undefined;
  }
}

function isConverged({ participants, contributions }: MultiRoundState): boolean {
  return contributions.size === participants.length && new Set(contributions.values()).size === 1;
}

export const multiRound = defineMode<"multiRound", MultiRoundState>("multiRound", {
  roster: ({ participants }) => participants.length > 0,
  start: ({ participants }) => ({
    round: 0,
    participants,
    contributions: new Map(),
    convergence_type: "all_equal",
    converged: false,
  }),
  messages: {
    Contribute: {
      decode,
      check: ({ state }) => (state.converged ? refuse("InvalidPayload") : undefined),
      apply({ state, payload: { value }, sender }) {
        if (state.contributions.get(sender) !== value) {
          state.round += 1;
          state.contributions.set(sender, value);
        }
        state.converged = isConverged(state);
      },
    },
  },
  commitment: {
    from: "initiator",
    ready: ({ state }) => state.converged,
    resolution({ state: { contributions, round } }) {
      const [converged_value = ""] = contributions.values();
      const resolution = { converged_value, round, final: toJson(contributions) };
      return new TextEncoder().encode(JSON.stringify(resolution));
    },
  },
});
