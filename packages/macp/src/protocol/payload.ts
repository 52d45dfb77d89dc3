import {
  create,
  type DescMessage,
  fromBinary,
  type MessageInitShape,
  type MessageShape,
  toBinary,
} from "@bufbuild/protobuf";
import {
  ProgressPayloadSchema,
  SessionStartPayloadSchema,
  SignalPayloadSchema,
} from "../generated/macp/v1/core_pb.ts";
import { contributionOf } from "./contribution.ts";
import {
  type MessageType,
  modeTable,
  type ModeKey,
  type Payload,
  type PayloadInit,
  payloadSchema,
} from "./mode-table.ts";

/** Payloads that belong to no mode. */
export const corePayloads = {
  SessionStart: SessionStartPayloadSchema,
  Signal: SignalPayloadSchema,
  Progress: ProgressPayloadSchema,
} as const satisfies Readonly<Record<string, DescMessage>>;

export type CoreMessageType = keyof typeof corePayloads;

/** Bytes of a SessionStart, Signal or Progress. */
export function encodeCorePayload<T extends CoreMessageType>(
  messageType: T,
  init: MessageInitShape<(typeof corePayloads)[T]>,
): Uint8Array {
  return encode(corePayloads[messageType], init);
}

/** Throws where the bytes are no such payload. */
export function decodeCorePayload<T extends CoreMessageType>(
  messageType: T,
  bytes: Uint8Array,
): MessageShape<(typeof corePayloads)[T]> {
  return fromBinary<(typeof corePayloads)[T]>(corePayloads[messageType], bytes);
}

/** Bytes of a mode's payload. */
export function encodePayload<K extends ModeKey, T extends MessageType<K>>(
  key: K,
  messageType: T,
  init: PayloadInit<K, T>,
): Uint8Array {
  const schema = payloadSchema(modeTable[key].mode, messageType);
  if (schema === undefined) throw new TypeError(`${key} has no message ${messageType}`);
  return encode(schema, init as MessageInitShape<DescMessage>);
}

/** Throws where the bytes are no such payload. */
export function decodePayload<K extends ModeKey, T extends MessageType<K>>(
  key: K,
  messageType: T,
  bytes: Uint8Array,
): Payload<K, T> {
  const decoded = decodeMessage(modeTable[key].mode, messageType, bytes);
  if (decoded === undefined) throw new TypeError(`${key} has no message ${messageType}`);
  return decoded as Payload<K, T>;
}

/**
 * The payload of any message: of a built-in mode, SessionStart, Signal or Progress. Undefined where
 * nothing is known of the type; throws where the bytes are no such payload.
 */
export function decodeMessage(
  mode: string,
  messageType: string,
  bytes: Uint8Array,
): MessageShape<DescMessage> | undefined {
  if (mode === modeTable.multiRound.mode && messageType === "Contribute") {
    return contributionOf(bytes);
  }
  const core: Readonly<Record<string, DescMessage>> = corePayloads;
  const schema =
    payloadSchema(mode, messageType) ??
    (Object.hasOwn(core, messageType) ? core[messageType] : undefined);
  return schema === undefined ? undefined : fromBinary(schema, bytes);
}

function encode<D extends DescMessage>(schema: D, init: MessageInitShape<D>): Uint8Array {
  return toBinary(schema, create(schema, init));
}
