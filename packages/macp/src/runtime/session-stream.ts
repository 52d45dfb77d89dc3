import { create } from "@bufbuild/protobuf";
import {
  StreamSessionResponseSchema,
  type StreamSessionRequest,
  type StreamSessionResponse,
} from "../generated/macp/v1/core_pb.ts";
import { EnvelopeSchema, type Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Envelope as AnyEnvelope } from "../kernel/envelope.ts";
import type { Outcome } from "../kernel/kernel.ts";
import type { Unsubscribe } from "../kernel/topic.ts";
import { grpcStatus, macpErrors, type GrpcStatus } from "../protocol/error-codes.ts";
import { denialError, invalidArgument, mayRead, sessionNotFound } from "./access.ts";
import { toStreamError, type About, type Denial } from "./acks.ts";
import { admit, asSender, isDenial } from "./admission.ts";
import type { Identity } from "./auth/identity.ts";
import { Outbox, type Downstream } from "./outbox.ts";
import type { ServiceContext } from "./service-context.ts";

/** Envelopes that a receiver may be behind before its stream ends. */
const CAPACITY = 256;

/** Messages without an answer before no more frames are taken. */
const MOST_UNANSWERED = 256;

/** A refusal of one of these ends the stream; any other stands in it as an error, and the stream goes on. */
const terminal: ReadonlySet<GrpcStatus> = new Set([
  grpcStatus.UNAUTHENTICATED,
  grpcStatus.INTERNAL,
  grpcStatus.RESOURCE_EXHAUSTED,
  grpcStatus.INVALID_ARGUMENT,
  grpcStatus.NOT_FOUND,
  grpcStatus.ALREADY_EXISTS,
]);

/** One StreamSession call of one caller, for one session: the first that a frame names. */
export class BoundStream {
  readonly #context: ServiceContext;
  readonly #identity: Identity;
  readonly #out: Outbox<StreamSessionResponse>;
  #bound: string | undefined;
  #unwatch: Unsubscribe | undefined;
  /** History is on its way; what is accepted meanwhile comes with it. */
  #replaying = false;
  /** Messages that the kernel has not answered. */
  #unanswered = 0;
  /** Settles when more frames may come. */
  #room: Promise<void> | undefined;
  #makeRoom = (): void => {};
  #ended = false;

  constructor(
    context: ServiceContext,
    identity: Identity,
    down: Downstream<StreamSessionResponse>,
  ) {
    this.#context = context;
    this.#identity = identity;
    this.#out = new Outbox(down, CAPACITY);
    down.onClose(() => {
      this.#detach();
      this.#makeRoom();
    });
  }

  /** Judged at once and in order. A promise where too much waits for being durable. */
  frame(frame: StreamSessionRequest): void | Promise<void> {
    if (this.#out.closed || this.#ended) return;
    this.#take(frame);
    if (this.#unanswered < MOST_UNANSWERED) return;
    this.#room ??= new Promise((resolve) => {
      this.#makeRoom = () => {
        this.#room = undefined;
        resolve();
      };
    });
    return this.#room;
  }

  #take({ envelope, subscribeSessionId, afterSequence }: StreamSessionRequest): void {
    try {
      if (subscribeSessionId === "") this.#send(envelope);
      else if (envelope === undefined) this.#subscribe(subscribeSessionId, Number(afterSequence));
      else throw invalidArgument("a frame has an envelope or subscribe_session_id, not both");
    } catch (error) {
      this.#out.fail(error as Error);
    }
  }

  end(): void {
    this.#ended = true;
    if (this.#unanswered === 0) this.#out.end();
  }

  #subscribe(sessionId: string, after: number): void {
    const { kernel } = this.#context;
    this.#checkBinding(sessionId);
    const session = kernel.peek(sessionId);
    if (session === undefined) throw sessionNotFound(sessionId);
    if (!mayRead(this.#identity, session)) {
      const code = "FORBIDDEN: session access denied";
      this.#error({ code, message: code, sessionId, messageId: "" });
      return;
    }
    this.#bound = sessionId;
    this.#detach();
    let last = after;
    let [batch, index] = [kernel.history(sessionId, last) ?? [], 0];
    const next = (): StreamSessionResponse | undefined => {
      if (index === batch.length) [batch, index] = [kernel.history(sessionId, last) ?? [], 0];
      const accepted = batch[index++];
      if (accepted === undefined) return undefined;
      last = accepted.ordinal;
      return toResponse(accepted.envelope);
    };
    this.#replaying = true;
    this.#out.replay(next, () => {
      this.#replaying = false;
      this.#attach(sessionId);
    });
  }

  #send(envelope: Envelope | undefined): void {
    if (envelope === undefined) {
      throw invalidArgument("a frame has an envelope or subscribe_session_id");
    }
    const { kernel, admission } = this.#context;
    const refusal = kernel.checkShape(envelope);
    if (refusal !== undefined) return this.#refused(refusal, envelope);
    const { sessionId } = envelope;
    if (sessionId === "" || envelope.mode === "") {
      throw invalidArgument("an envelope on a stream needs session_id and mode");
    }
    this.#checkBinding(sessionId);
    const sent = asSender(envelope, this.#identity);
    if (isDenial(sent)) return this.#refused(sent, envelope);
    this.#checkSession(sent);
    const denial = admit(sent, this.#identity, admission);
    if (denial !== undefined) return this.#refused(denial, envelope);
    this.#bound = sessionId;
    const attached = this.#attachFor(sent);
    this.#unanswered++;
    kernel
      .send(sent, this.#identity)
      .then((outcome) => this.#answered(outcome, sent, attached))
      .catch((error: Error) => this.#out.fail(error));
  }

  #answered(outcome: Outcome, envelope: Envelope, attached: boolean): void {
    if (--this.#unanswered < MOST_UNANSWERED) this.#makeRoom();
    this.#context.counters.answered(envelope, outcome);
    if (!outcome.ok) {
      if (attached) this.#detach();
      this.#refused(outcome, envelope);
    }
    if (this.#ended && this.#unanswered === 0) this.#out.end();
  }

  /** In the order of the reference runtime: the session's mode and state before anything that the kernel checks. */
  #checkSession({ sessionId, mode, messageType }: Envelope): void {
    if (messageType === "SessionStart") return;
    const session = this.#context.kernel.peek(sessionId);
    if (session === undefined) return;
    if (session.mode !== mode) {
      throw invalidArgument("INVALID_ENVELOPE: the envelope's mode is not the session's");
    }
    if (session.state !== "Open") throw invalidArgument("SESSION_NOT_OPEN");
  }

  /**
   * So that a sender gets its own envelope back. Whoever may not read the session does not get to listen by
   * sending something into it that is refused. True when this call attached for a session that is about to start.
   */
  #attachFor({ sessionId, messageType }: Envelope): boolean {
    const session = this.#context.kernel.peek(sessionId);
    const starting = session === undefined && messageType === "SessionStart";
    const reader =
      session !== undefined &&
      (mayRead(this.#identity, session) || session.participants.length === 0);
    const listening = this.#replaying || this.#unwatch !== undefined;
    if (listening || !(starting || reader)) return false;
    this.#attach(sessionId);
    return starting;
  }

  #checkBinding(sessionId: string): void {
    if (this.#bound === undefined || this.#bound === sessionId) return;
    throw invalidArgument("a stream carries one session");
  }

  #attach(sessionId: string): void {
    this.#unwatch ??= this.#context.kernel.watchSession(sessionId, ({ envelope }) =>
      this.#out.push(toResponse(envelope)),
    );
  }

  #detach(): void {
    this.#unwatch?.();
    this.#unwatch = undefined;
  }

  #refused(denial: Denial, about: About): void {
    const { sessionId, messageId } = about;
    const inline =
      denial.variant === "UnknownSession" || !terminal.has(macpErrors[denial.code].status);
    if (inline) this.#error(toStreamError(denial, { sessionId, messageId }));
    else this.#out.fail(denialError(denial));
  }

  #error(value: { code: string; message: string } & About): void {
    const response = create(StreamSessionResponseSchema, { response: { case: "error", value } });
    this.#out.push(response);
  }
}

function toResponse(envelope: AnyEnvelope): StreamSessionResponse {
  const value = toWireEnvelope(envelope);
  return create(StreamSessionResponseSchema, { response: { case: "envelope", value } });
}

/** An envelope of the kernel's as the message that it is on the wire. */
export function toWireEnvelope(envelope: AnyEnvelope): Envelope {
  return "$typeName" in envelope
    ? (envelope as Envelope)
    : { $typeName: EnvelopeSchema.typeName, ...envelope };
}
