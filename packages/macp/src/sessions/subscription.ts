import { create } from "@bufbuild/protobuf";
import { resumed } from "../client/resume.ts";
import { StreamSessionRequestSchema } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Auth } from "../protocol/auth.ts";
import { refusalError } from "../protocol/refusal.ts";
import type { SessionHost } from "./session-host.ts";

export interface SubscribeOptions {
  readonly auth: Auth | undefined;
  /** Ends the subscription. */
  readonly closed: AbortSignal;
}

/** Sends notices of a newer runtime about the session itself; they have no ordinal. */
const annotator = "_runtime";

/**
 * The accepted messages of a session from the first on and then live, each once and in order, across lost
 * connections. Rejects where the caller may not listen, the session is unknown, or its history is gone.
 */
export async function* subscribe(
  { transport, backoff, log }: Pick<SessionHost, "transport" | "backoff" | "log">,
  sessionId: string,
  { auth, closed }: SubscribeOptions,
): AsyncGenerator<Envelope, void, undefined> {
  let ordinal = 0;
  async function* open(): AsyncGenerator<Envelope, void, undefined> {
    const stream = transport.calls.streamSession({ auth, signal: closed });
    try {
      const frame = { subscribeSessionId: sessionId, afterSequence: BigInt(ordinal) };
      await stream.send(create(StreamSessionRequestSchema, frame));
      for await (const { response } of stream) {
        if (response.case === "error") throw refusalError(response.value);
        if (response.case !== "envelope" || response.value.sender === annotator) continue;
        ordinal += 1;
        yield response.value;
      }
    } finally {
      stream.cancel();
    }
  }
  const options = {
    name: `session ${sessionId}`,
    backoff,
    resume: true,
    signal: undefined,
    closed,
    log,
  };
  for await (const { message } of resumed(open, options)) if (message) yield message;
}
