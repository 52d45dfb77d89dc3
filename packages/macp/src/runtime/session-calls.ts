import { create } from "@bufbuild/protobuf";
import {
  CancelSessionResponseSchema,
  GetSessionResponseSchema,
  ListSessionsResponseSchema,
  ResumeSessionResponseSchema,
  SuspendSessionResponseSchema,
} from "../generated/macp/v1/core_pb.ts";
import type { Ack } from "../generated/macp/v1/envelope_pb.ts";
import type { ControlRequest, Outcome } from "../kernel/kernel.ts";
import {
  denialError,
  invalidArgument,
  mayRead,
  requireIdentity,
  sessionNotFound,
} from "./access.ts";
import { forbidden, toAck } from "./acks.ts";
import type { Credentials } from "./auth/identity.ts";
import type { Part } from "./handlers.ts";
import { toWireMetadata } from "./metadata.ts";
import type { ServiceContext } from "./service-context.ts";

type Control = (sessionId: string, request: ControlRequest) => Promise<Outcome>;

interface ControlMessage {
  readonly sessionId: string;
  readonly reason: string;
}

export function sessionCalls(
  context: ServiceContext,
): Part<"getSession" | "listSessions" | "cancelSession" | "suspendSession" | "resumeSession"> {
  const { kernel, authenticate } = context;
  const control = async (
    act: Control,
    { sessionId, reason }: ControlMessage,
    from: Credentials,
  ): Promise<Ack> => {
    const { sender } = await requireIdentity(authenticate, from);
    const outcome = await act.call(kernel, sessionId, { by: sender, reason });
    // Who may not, and what is not there, is a failed call; a session in the wrong state is an Ack.
    if (!outcome.ok && outcome.variant === "UnknownSession") throw sessionNotFound(sessionId);
    if (!outcome.ok && outcome.variant === "Forbidden") {
      throw denialError(forbidden, "FORBIDDEN: neither initiator nor commitment authority");
    }
    return toAck(outcome, { sessionId, messageId: "" }, context.now());
  };
  return {
    async getSession({ sessionId }, from) {
      const identity = await requireIdentity(authenticate, from);
      const session = await kernel.get(sessionId);
      if (session === undefined) throw sessionNotFound(sessionId);
      if (!mayRead(identity, session)) {
        throw denialError(forbidden, "FORBIDDEN: session access denied");
      }
      return create(GetSessionResponseSchema, { metadata: toWireMetadata(session) });
    },
    async listSessions({ pageSize, pageToken }, from) {
      await requireIdentity(authenticate, from);
      if (pageSize < 0) throw invalidArgument("INVALID_ARGUMENT: page_size is negative");
      const after = readPageToken(pageToken);
      const named = pageSize === 0 ? context.listPageSize : pageSize;
      const size = named === undefined ? Infinity : Math.min(named, context.listMaxPageSize);
      const rest = (await kernel.list()).filter(({ sessionId }) => sessionId > after);
      const page = rest.slice(0, size);
      const last = rest.length > page.length ? page.at(-1) : undefined;
      return create(ListSessionsResponseSchema, {
        sessions: page.map(toWireMetadata),
        nextPageToken: last === undefined ? "" : toPageToken(last.sessionId),
      });
    },
    async cancelSession(request, from) {
      const ack = await control(kernel.cancel, request, from);
      return create(CancelSessionResponseSchema, { ack });
    },
    async suspendSession(request, from) {
      const ack = await control(kernel.suspend, request, from);
      return create(SuspendSessionResponseSchema, { ack });
    },
    async resumeSession(request, from) {
      const ack = await control(kernel.resume, request, from);
      return create(ResumeSessionResponseSchema, { ack });
    },
  };
}

function toPageToken(sessionId: string): string {
  return Buffer.from(`v1:${sessionId}`).toString("base64url");
}

/** The id after which the page starts. */
function readPageToken(token: string): string {
  if (token === "") return "";
  const text = Buffer.from(token, "base64url").toString();
  if (text.startsWith("v1:") && toPageToken(text.slice(3)) === token) return text.slice(3);
  throw invalidArgument("INVALID_ARGUMENT: page_token is not one of this runtime");
}
