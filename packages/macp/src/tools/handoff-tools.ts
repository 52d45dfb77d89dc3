import { z } from "zod";
import type { HandoffSession } from "../sessions/handoff.ts";
import {
  commitTool,
  type CoordinationTools,
  defineCoordinationTool,
  reason,
} from "./coordination-tool.ts";
import { statusTool } from "./status-tool.ts";

const handoffId = z.string().describe("Id of the handoff.");
const text = new TextDecoder();

export const handoffTools: CoordinationTools<HandoffSession> = {
  handoff_status: statusTool("handoff", ({ projection }) => ({
    handoffs: [...projection.state.offers.values()].map((offer) => ({
      handoff_id: offer.handoffId,
      offered_by: offer.offeredBy,
      target_participant: offer.targetParticipant,
      scope: offer.scope,
      reason: offer.reason,
      disposition: offer.disposition,
      answer: offer.answer,
      context: offer.context.map(({ contentType, context }) => ({
        content_type: contentType,
        content: contentType.startsWith("text/") ? text.decode(context) : `${context.length} bytes`,
      })),
    })),
  })),
  handoff_offer: defineCoordinationTool({
    id: "handoff.offer",
    title: "Offer a handoff",
    description:
      "Offers a participant to take over what you are responsible for. One offer at a time.",
    input: z.object({
      handoff_id: z.string().describe("A new id for it, short and telling."),
      target_participant: z.string().describe("Who is to take over."),
      scope: z.string().describe("What is handed over."),
      reason,
    }),
    run: (session: HandoffSession, input, options) =>
      session.offer(input.handoff_id, input.target_participant, {
        scope: input.scope,
        reason: input.reason,
        ...options,
      }),
  }),
  handoff_add_context: defineCoordinationTool({
    id: "handoff.add_context",
    title: "Add to a handoff",
    description: "Adds what the other one has to know to a handoff that you have offered.",
    input: z.object({ handoff_id: handoffId, content: z.string().describe("What to know.") }),
    run: (session: HandoffSession, { handoff_id, content }, options) =>
      session.addContext(handoff_id, content, options),
  }),
  handoff_accept: defineCoordinationTool({
    id: "handoff.accept",
    title: "Take over",
    description: "Accepts a handoff that was offered to you: from then on it is yours.",
    input: z.object({ handoff_id: handoffId, reason }),
    run: (session: HandoffSession, { handoff_id, reason: why }, options) =>
      session.acceptHandoff(handoff_id, { reason: why, ...options }),
  }),
  handoff_decline: defineCoordinationTool({
    id: "handoff.decline",
    title: "Decline a handoff",
    description: "Declines a handoff that was offered to you.",
    input: z.object({ handoff_id: handoffId, reason }),
    run: (session: HandoffSession, { handoff_id, reason: why }, options) =>
      session.decline(handoff_id, { reason: why, ...options }),
  }),
  handoff_commit: commitTool("handoff", "Ends the session, once an offer was answered."),
};
