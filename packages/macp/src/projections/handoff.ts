import { appended, placed } from "./collections.ts";
import { defineReducer, type Oddity } from "./mode-reducer.ts";
import { createProjection, type Projection } from "./projection.ts";

export interface HandoffContext {
  readonly contentType: string;
  readonly context: Uint8Array;
}

export interface Handoff {
  readonly handoffId: string;
  readonly targetParticipant: string;
  readonly scope: string;
  readonly reason: string;
  readonly offeredBy: string;
  readonly context: readonly HandoffContext[];
  readonly disposition: "Offered" | "Accepted" | "Declined";
  /** The target's words; "" while it is offered. */
  readonly answer: string;
  /** Accepted by time and not by a word of the target. */
  readonly implicit: boolean;
}

export interface HandoffState {
  /** By handoff id, in order of arrival. */
  readonly offers: ReadonlyMap<string, Handoff>;
}

function settled(
  state: HandoffState,
  handoffId: string,
  answer: Pick<Handoff, "disposition" | "answer" | "implicit">,
): HandoffState | Oddity {
  const offer = state.offers.get(handoffId);
  if (offer === undefined) {
    return { anomaly: "unknown_subject", subjectId: handoffId, detail: "no such handoff" };
  }
  if (offer.disposition !== "Offered") {
    const detail = `it is ${offer.disposition}`;
    return { anomaly: "settled_handoff", subjectId: handoffId, detail };
  }
  return { offers: placed(state.offers, handoffId, { ...offer, ...answer }) };
}

const last = ({ offers }: HandoffState) => [...offers.values()].at(-1);

const handoffReducer = defineReducer<"handoff", HandoffState>({
  mode: "handoff",
  initial: { offers: new Map() },
  phase: (state) => last(state)?.disposition ?? "Pending",
  on: {
    HandoffOffer: (state, { payload, sender }) => {
      const { handoffId, targetParticipant, scope, reason } = payload;
      const offer: Handoff = {
        handoffId,
        targetParticipant,
        scope,
        reason,
        offeredBy: sender,
        context: [],
        disposition: "Offered",
        answer: "",
        implicit: false,
      };
      return { offers: placed(state.offers, handoffId, offer) };
    },
    HandoffContext: (state, { payload: { handoffId, contentType, context } }) => {
      const offer = state.offers.get(handoffId);
      if (offer === undefined) {
        return { anomaly: "unknown_subject", subjectId: handoffId, detail: "no such handoff" };
      }
      const added = appended(offer.context, { contentType, context });
      return { offers: placed(state.offers, handoffId, { ...offer, context: added }) };
    },
    HandoffAccept: (state, { payload: { handoffId, reason, implicit } }) =>
      settled(state, handoffId, { disposition: "Accepted", answer: reason, implicit }),
    HandoffDecline: (state, { payload: { handoffId, reason } }) =>
      settled(state, handoffId, { disposition: "Declined", answer: reason, implicit: false }),
  },
  // A runtime commits only what is answered. Where no answer was seen, the time-out of a policy gave it.
  onCommitment: (state) => {
    const offer = last(state);
    const answered = [...state.offers.values()].some((o) => o.disposition !== "Offered");
    if (offer === undefined || answered) return state;
    const accepted: Handoff = { ...offer, disposition: "Accepted", implicit: true };
    return { offers: placed(state.offers, offer.handoffId, accepted) };
  },
});

/** Where a query takes no handoff id, it speaks of the newest offer. */
export interface HandoffProjection extends Projection<HandoffState> {
  getHandoff(handoffId?: string): Handoff | undefined;
  /** The offer that waits for its target's answer. */
  activeOffer(): Handoff | undefined;
  pendingHandoffs(): readonly Handoff[];
  isAccepted(handoffId?: string): boolean;
  isDeclined(handoffId?: string): boolean;
  /** Whether it was accepted by the time-out of a policy. */
  isImplicitlyAccepted(handoffId?: string): boolean;
  hasAcceptedOffer(): boolean;
}

export function createHandoffProjection(): HandoffProjection {
  return createProjection(handoffReducer, (of) => {
    const get = (id?: string) => (id === undefined ? last(of.state) : of.state.offers.get(id));
    const pending = () =>
      [...of.state.offers.values()].filter(({ disposition }) => disposition === "Offered");
    return {
      getHandoff: get,
      activeOffer: () => pending().at(-1),
      pendingHandoffs: pending,
      isAccepted: (id) => get(id)?.disposition === "Accepted",
      isDeclined: (id) => get(id)?.disposition === "Declined",
      isImplicitlyAccepted: (id) => get(id)?.implicit === true,
      hasAcceptedOffer: () =>
        [...of.state.offers.values()].some(({ disposition }) => disposition === "Accepted"),
    };
  });
}
