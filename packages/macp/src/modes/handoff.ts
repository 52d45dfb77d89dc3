import { type Refusal, refuse } from "../kernel/refusal.ts";
import { handoffDenials } from "../policy/mode-policies.ts";
import { bindRules } from "../policy/policy.ts";
import { handoffRules } from "../policy/rules.ts";
import { defineMode, type Turn } from "./mode.ts";

interface Offer {
  handoff_id: string;
  target_participant: string;
  scope: string;
  reason: string;
  offered_by: string;
  disposition: "Offered" | "Accepted" | "Declined";
  accepted_by: string | null;
  declined_by: string | null;
  outcome_reason: string | null;
  /** The acceptance clock, not the client's: a client could back-date an offer. */
  offered_at_ms: number;
}

interface HandoffState {
  offers: Map<string, Offer>;
  contexts: Map<string, { content_type: string; context: Uint8Array; sender: string }[]>;
}

const isOpen = ({ disposition }: Offer): boolean => disposition === "Offered";

/** Open offers whose target has been silent for as long as the policy allows: those count as accepted. */
function lapsed({ terms, state, atMs }: Turn<HandoffState, unknown>): Offer[] {
  const { rules } = bindRules(terms.policy, handoffRules);
  const timeout = rules.acceptance.implicit_accept_timeout_ms;
  if (timeout === 0) return [];
  return [...state.offers.values()].filter(
    (offer) => isOpen(offer) && atMs - offer.offered_at_ms >= timeout,
  );
}

/** An answer is the target's, once, while the offer is open. */
function checkAnswer(
  { state, sender }: Turn<HandoffState, unknown>,
  handoffId: string,
  by: string,
): Refusal | undefined {
  const offer = state.offers.get(handoffId);
  if (offer === undefined) return refuse("InvalidPayload");
  if (offer.target_participant !== sender) return refuse("Forbidden");
  return (by === "" || by === sender) && isOpen(offer) ? undefined : refuse("InvalidPayload");
}

export const handoff = defineMode<"handoff", HandoffState>("handoff", {
  // The initiator is a party to the transfer, so it must be among them.
  roster: ({ participants, members, initiator }) =>
    participants.length >= 2 && members.has(initiator),
  start: () => ({ offers: new Map(), contexts: new Map() }),
  messages: {
    HandoffOffer: {
      from: "initiator",
      check({ terms, state, payload: { handoffId, targetParticipant: target }, sender }) {
        // One at a time, and none after an acceptance.
        const free = [...state.offers.values()].every(
          ({ disposition }) => disposition === "Declined",
        );
        const inOrder =
          free &&
          handoffId !== "" &&
          !state.offers.has(handoffId) &&
          target !== sender &&
          terms.members.has(target);
        return inOrder ? undefined : refuse("InvalidPayload");
      },
      apply({ state, payload, sender, atMs }) {
        state.offers.set(payload.handoffId, {
          handoff_id: payload.handoffId,
          target_participant: payload.targetParticipant,
          scope: payload.scope,
          reason: payload.reason,
          offered_by: sender,
          disposition: "Offered",
          accepted_by: null,
          declined_by: null,
          outcome_reason: null,
          offered_at_ms: atMs,
        });
      },
    },
    HandoffContext: {
      check({ state, payload: { handoffId }, sender }) {
        const offer = state.offers.get(handoffId);
        if (offer === undefined) return refuse("InvalidPayload");
        return offer.offered_by === sender ? undefined : refuse("Forbidden");
      },
      apply({ state, payload: { handoffId, contentType, context }, sender }) {
        const contexts = state.contexts.get(handoffId) ?? [];
        contexts.push({ content_type: contentType, context, sender });
        state.contexts.set(handoffId, contexts);
      },
    },
    HandoffAccept: {
      // Only a runtime accepts for somebody.
      check: (turn) =>
        checkAnswer(turn, turn.payload.handoffId, turn.payload.acceptedBy) ??
        (turn.payload.implicit ? refuse("InvalidPayload") : undefined),
      apply({ state, payload: { handoffId, reason }, sender }) {
        const offer = state.offers.get(handoffId);
        if (offer === undefined) return;
        Object.assign(offer, {
          disposition: "Accepted",
          accepted_by: sender,
          outcome_reason: reason,
        } satisfies Partial<Offer>);
      },
    },
    HandoffDecline: {
      check: (turn) => checkAnswer(turn, turn.payload.handoffId, turn.payload.declinedBy),
      apply({ state, payload: { handoffId, reason }, sender }) {
        const offer = state.offers.get(handoffId);
        if (offer === undefined) return;
        Object.assign(offer, {
          disposition: "Declined",
          declined_by: sender,
          outcome_reason: reason,
        } satisfies Partial<Offer>);
      },
    },
  },
  commitment: {
    ready: (turn) =>
      [...turn.state.offers.values()].some((offer) => !isOpen(offer)) || lapsed(turn).length > 0,
    denials: ({ terms }) => handoffDenials(bindRules(terms.policy, handoffRules)),
    apply(turn) {
      for (const offer of lapsed(turn)) {
        offer.disposition = "Accepted";
        offer.accepted_by = offer.target_participant;
        offer.outcome_reason = "implicit accept (timeout)";
      }
    },
  },
});
