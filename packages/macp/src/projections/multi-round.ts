import { appended, placed } from "./collections.ts";
import { defineReducer, type SessionFacts } from "./mode-reducer.ts";
import { createProjection, type Projection } from "./projection.ts";

export interface Contribution {
  readonly sender: string;
  readonly value: string;
  /** The round that it opened, or was made in. */
  readonly round: number;
}

export interface MultiRoundState {
  /** Counts changes of mind: a sender's new value, its first one too, opens the next round. */
  readonly round: number;
  /** Each participant's latest value. */
  readonly values: ReadonlyMap<string, string>;
  readonly contributions: readonly Contribution[];
}

function convergedOn({ values }: MultiRoundState, { participants }: SessionFacts) {
  const [first] = participants;
  const value = first === undefined ? undefined : values.get(first);
  return participants.every((p) => values.has(p) && values.get(p) === value) ? value : undefined;
}

const multiRoundReducer = defineReducer<"multiRound", MultiRoundState>({
  mode: "multiRound",
  initial: { round: 0, values: new Map(), contributions: [] },
  phase: (state, facts) => (convergedOn(state, facts) === undefined ? "Contributing" : "Converged"),
  on: {
    Contribute: (state, { payload: { value }, sender }) => {
      const round = state.values.get(sender) === value ? state.round : state.round + 1;
      return {
        round,
        values: placed(state.values, sender, value),
        contributions: appended(state.contributions, { sender, value, round }),
      };
    },
  },
});

export interface MultiRoundProjection extends Projection<MultiRoundState> {
  readonly round: number;
  latestValue(sender: string): string | undefined;
  /** Whether every participant's latest value is the same. */
  isConverged(): boolean;
  /** That value. */
  convergedValue(): string | undefined;
  /** Participants that have said nothing yet. */
  missingParticipants(): readonly string[];
}

export function createMultiRoundProjection(): MultiRoundProjection {
  return createProjection(multiRoundReducer, (of) => ({
    get round() {
      return of.state.round;
    },
    latestValue: (sender) => of.state.values.get(sender),
    isConverged: () => convergedOn(of.state, of) !== undefined,
    convergedValue: () => convergedOn(of.state, of),
    missingParticipants: () => of.participants.filter((p) => !of.state.values.has(p)),
  }));
}
