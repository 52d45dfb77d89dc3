import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { type MessageType, modeTable, type ModeKey, type Payload } from "../protocol/mode-table.ts";
import { decodeMessage } from "../protocol/payload.ts";

/** One accepted message, decoded. */
export interface Received<P> {
  readonly payload: P;
  readonly sender: string;
  readonly messageId: string;
  /** The sender's clock, ms since 1970. */
  readonly sentAtMs: number;
  readonly envelope: Envelope;
}

/** What to do about each type of message of a mode; types without a handler are passed over. */
export type Handlers<K extends ModeKey, C> = {
  readonly [T in MessageType<K>]?: (
    message: Received<Payload<K, T>>,
    context: C,
  ) => void | Promise<void>;
};

export interface Dispatcher<C> {
  /** Resolves to false where no handler is for it. Throws what the handler throws, and for bytes that are no such payload. */
  dispatch(envelope: Envelope, context: C): Promise<boolean>;
}

export function createDispatcher<K extends ModeKey, C>(
  key: K,
  handlers: Handlers<K, C>,
): Dispatcher<C> {
  type Handler = (message: Received<unknown>, context: C) => void | Promise<void>;
  const byType = handlers as unknown as Readonly<Record<string, Handler | undefined>>;
  return {
    async dispatch(envelope, context) {
      const { mode, messageType, messageId, sender, timestampUnixMs } = envelope;
      const handle = Object.hasOwn(byType, messageType) ? byType[messageType] : undefined;
      if (handle === undefined || mode !== modeTable[key].mode) return false;
      const payload: unknown = decodeMessage(mode, messageType, envelope.payload);
      const sentAtMs = Number(timestampUnixMs);
      await handle({ payload, sender, messageId, sentAtMs, envelope }, context);
      return true;
    },
  };
}
