import type { GetSessionResponse } from "../generated/macp/v1/core_pb.ts";
import type { Ack } from "../generated/macp/v1/envelope_pb.ts";
import type { Auth } from "../protocol/auth.ts";
import { accepted, type Calls, present } from "./calls.ts";
import type { ProtocolClient } from "./client-surface.ts";
import { assertSender } from "./identity.ts";
import { toAccepted, toSessionInfo } from "./session-info.ts";

type SessionCalls = Pick<
  ProtocolClient,
  | "send"
  | "getSession"
  | "cancelSession"
  | "suspendSession"
  | "resumeSession"
  | "listSessions"
  | "listSessionsPage"
>;

/** Messages to sessions, and sessions themselves. */
export function createSessionCalls(call: Calls, auth: Auth | undefined): SessionCalls {
  const listSessionsPage: SessionCalls["listSessionsPage"] = async (options = {}) => {
    const { pageSize = 0, pageToken = "" } = options;
    return call(
      "listSessions",
      { pageSize, pageToken },
      {
        options,
        read: ({ sessions, nextPageToken }) => ({
          sessions: sessions.map(toSessionInfo),
          nextPageToken,
        }),
      },
    );
  };
  const read = ({ ack }: { ack?: Ack | undefined }) => toAccepted(accepted(ack));
  return {
    send: async (envelope, options) => {
      assertSender(envelope.sender, options?.auth ?? auth);
      // Only what belongs to a mode is known again by its id.
      const once = envelope.messageType === "Signal" || envelope.messageType === "Progress";
      return call("send", { envelope }, { options, read, ...(once && { once }) });
    },
    getSession: async (sessionId, options) => {
      const info = ({ metadata }: GetSessionResponse) =>
        toSessionInfo(present(metadata, "metadata"));
      return call("getSession", { sessionId }, { options, read: info });
    },
    cancelSession: async (sessionId, reason, options) =>
      call("cancelSession", { sessionId, reason }, { options, read }),
    suspendSession: async (sessionId, reason, options) =>
      call("suspendSession", { sessionId, reason }, { options, read }),
    resumeSession: async (sessionId, reason, options) =>
      call("resumeSession", { sessionId, reason }, { options, read }),
    listSessionsPage,
    async *listSessions(options = {}) {
      let { pageToken } = options;
      do {
        const page = await listSessionsPage({ ...options, pageToken });
        yield* page.sessions;
        pageToken = page.nextPageToken;
      } while (pageToken !== "");
    },
  };
}
