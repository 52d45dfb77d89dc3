import { toEnvelope } from "../protocol/envelope.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import type { ProtocolClient } from "./client-surface.ts";

/** What is said outside of any mode. */
export function createAmbientCalls(
  send: ProtocolClient["send"],
): Pick<ProtocolClient, "sendSignal" | "sendProgress"> {
  return {
    sendSignal: async ({ type, sessionId = "", ...signal }, options) => {
      const payload = encodeCorePayload("Signal", {
        signalType: type,
        correlationSessionId: sessionId,
        ...signal,
      });
      return send(toEnvelope({ messageType: "Signal", payload }), options);
    },
    sendProgress: async ({ token, session, ...progress }, options) => {
      const payload = encodeCorePayload("Progress", { progressToken: token, ...progress });
      const { id = "", mode = "" } = session ?? {};
      return send(toEnvelope({ messageType: "Progress", sessionId: id, mode, payload }), options);
    },
  };
}
