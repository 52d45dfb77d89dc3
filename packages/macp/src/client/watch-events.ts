import type { WatchSignalsResponse } from "../generated/macp/v1/core_pb.ts";
import { decodeCorePayload } from "../protocol/payload.ts";

/** Something is news: modes were registered, or roots changed. The first one comes when watching begins. */
export interface ChangeEvent {
  /** Unix milliseconds. */
  readonly observedAtMs: number;
}

interface Ambient {
  readonly sender: string;
  readonly messageId: string;
  /** Unix milliseconds, by the sender's clock. */
  readonly timestampMs: number;
}

export interface SignalEvent extends Ambient {
  readonly type: "signal";
  readonly signalType: string;
  readonly data: Uint8Array;
  /** 0 to 1. */
  readonly confidence: number;
  /** The session that it is about; empty where none. */
  readonly correlationSessionId: string;
}

export interface ProgressEvent extends Ambient {
  readonly type: "progress";
  /** The session that it belongs to; empty where none. */
  readonly sessionId: string;
  readonly progressToken: string;
  readonly progress: number;
  readonly total: number;
  readonly message: string;
  readonly targetMessageId: string;
}

/** The stream was cut and opened again; signals of the time between are lost, the runtime keeps none. */
export interface GapEvent {
  readonly type: "gap";
}

export type AmbientEvent = SignalEvent | ProgressEvent | GapEvent;

/** Undefined for an envelope that is neither, or whose payload is none: any participant can send one. */
export function toAmbientEvent({
  envelope,
}: WatchSignalsResponse): SignalEvent | ProgressEvent | undefined {
  if (envelope === undefined) return undefined;
  const { sender, messageId, sessionId, payload } = envelope;
  const ambient = { sender, messageId, timestampMs: Number(envelope.timestampUnixMs) };
  try {
    if (envelope.messageType === "Signal") {
      const { signalType, data, confidence, correlationSessionId } = decodeCorePayload(
        "Signal",
        payload,
      );
      return { type: "signal", ...ambient, signalType, data, confidence, correlationSessionId };
    }
    if (envelope.messageType !== "Progress") return undefined;
    const { progressToken, progress, total, message, targetMessageId } = decodeCorePayload(
      "Progress",
      payload,
    );
    const measured = { progressToken, progress, total, message, targetMessageId };
    return { type: "progress", ...ambient, sessionId, ...measured };
  } catch {
    return undefined;
  }
}
