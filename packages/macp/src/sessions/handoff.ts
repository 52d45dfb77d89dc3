import type { Accepted } from "../client/session-info.ts";
import { createHandoffProjection, type HandoffProjection } from "../projections/handoff.ts";
import type { ReasonOptions } from "./decision.ts";
import type { ModeDefinition } from "./mode-session.ts";
import type { SendOptions, Session } from "./session-surface.ts";
import { filled, toBytes } from "./words.ts";

export interface HandoffOptions extends ReasonOptions {
  /** What is handed over. */
  scope?: string;
}

export interface ContextOptions extends SendOptions {
  /** Default: text/plain for a text, application/octet-stream for bytes. */
  contentType?: string;
}

export interface HandoffVerbs {
  /** The initiator's; one at a time. */
  offer(handoffId: string, targetParticipant: string, options?: HandoffOptions): Promise<Accepted>;
  /** The offerer's, at any time. */
  addContext(
    handoffId: string,
    context: Uint8Array | string,
    options?: ContextOptions,
  ): Promise<Accepted>;
  /** The target's. */
  acceptHandoff(handoffId: string, options?: ReasonOptions): Promise<Accepted>;
  /** The target's. */
  decline(handoffId: string, options?: ReasonOptions): Promise<Accepted>;
}

export type HandoffSession = Session<"handoff", HandoffProjection> & HandoffVerbs;

export const handoffMode: ModeDefinition<"handoff", HandoffProjection, HandoffVerbs> = {
  key: "handoff",
  project: createHandoffProjection,
  verbs: ({ send }, sender) => ({
    async offer(handoffId, targetParticipant, { scope = "", reason = "", ...options } = {}) {
      filled({ handoffId, targetParticipant });
      return send("HandoffOffer", { handoffId, targetParticipant, scope, reason }, options);
    },
    async addContext(handoffId, context, { contentType, ...options } = {}) {
      const usual = typeof context === "string" ? "text/plain" : "application/octet-stream";
      const payload = { contentType: contentType ?? usual, context: toBytes(context) };
      return send("HandoffContext", { handoffId, ...payload }, options);
    },
    async acceptHandoff(handoffId, { reason = "", ...options } = {}) {
      return send("HandoffAccept", { handoffId, acceptedBy: sender(options), reason }, options);
    },
    async decline(handoffId, { reason = "", ...options } = {}) {
      return send("HandoffDecline", { handoffId, declinedBy: sender(options), reason }, options);
    },
  }),
};
