import { create, toBinary } from "@bufbuild/protobuf";
import {
  SessionCancelPayloadSchema,
  SessionResumePayloadSchema,
  SessionSuspendPayloadSchema,
} from "../generated/macp/v1/core_pb.ts";
import { mayCommit } from "../modes/commitment.ts";
import { acceptInternal } from "./accept.ts";
import type { ControlRequest, Kernel, LifecycleKind, Outcome } from "./kernel.ts";
import { expireIfDue, type Parts } from "./parts.ts";
import { refuse } from "./refusal.ts";
import { isOver, type Session } from "./session.ts";
import type { InternalType } from "./store.ts";

/** A request that is in order, at the moment it is carried out. */
interface Control extends ControlRequest {
  readonly atMs: number;
}

/** Cancel, suspend and resume: the initiator's, and theirs to whom the policy gives the commitment. */
export function createControls(parts: Parts): Pick<Kernel, "cancel" | "suspend" | "resume"> {
  const { table, journal, clock } = parts;
  const controlled =
    (carryOut: (session: Session, control: Control) => Outcome) =>
    async (sessionId: string, request: ControlRequest): Promise<Outcome> => {
      const session = table.get(sessionId);
      if (session === undefined) return table.missing(sessionId);
      const { terms } = session;
      const allowed = request.by === terms.initiator || mayCommit(terms, request.by);
      if (!allowed) return refuse("Forbidden");
      return journal.answer(session, carryOut(session, { ...request, atMs: clock() }));
    };
  return {
    cancel: controlled((session, { by, reason, atMs }) => {
      expireIfDue(parts, session, atMs);
      if (isOver(session.state)) return done(session);
      const init = create(SessionCancelPayloadSchema, { reason, cancelledBy: by });
      const payload = toBinary(SessionCancelPayloadSchema, init);
      return record(parts, session, { type: "SessionCancel", payload, atMs, event: "CANCELLED" });
    }),
    suspend: controlled((session, { by, reason, atMs }) => {
      expireIfDue(parts, session, atMs);
      if (session.state !== "Open") return refuse("SessionNotOpen");
      const init = create(SessionSuspendPayloadSchema, { reason, suspendedBy: by });
      const payload = toBinary(SessionSuspendPayloadSchema, init);
      return record(parts, session, { type: "SessionSuspend", payload, atMs, event: "SUSPENDED" });
    }),
    resume: controlled((session, { by, reason, atMs }) => {
      const { state, suspendedAtMs = atMs } = session;
      if (state !== "Suspended") return refuse("SessionNotOpen");
      const bankedMs = BigInt(Math.max(0, atMs - suspendedAtMs));
      const init = create(SessionResumePayloadSchema, { reason, resumedBy: by, bankedMs });
      const payload = toBinary(SessionResumePayloadSchema, init);
      return record(parts, session, { type: "SessionResume", payload, atMs, event: "RESUMED" });
    }),
  };
}

const done = ({ state }: Session): Outcome => ({ ok: true, state, duplicate: false });

interface Step {
  readonly type: InternalType;
  readonly payload: Uint8Array;
  readonly atMs: number;
  readonly event: LifecycleKind;
}

/** A resumption after too long a suspension ends the session, and is refused. */
function record(
  { journal }: Parts,
  session: Session,
  { type, payload, atMs, event }: Step,
): Outcome {
  const entry = acceptInternal(session, type, { payload, atMs });
  const expired = session.state === "Expired";
  journal.record(session, entry, expired ? "EXPIRED" : event);
  return expired ? refuse("TtlExpired") : done(session);
}
