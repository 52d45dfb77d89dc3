import type { SQLOutputValue } from "node:sqlite";
import type { Envelope } from "../kernel/envelope.ts";
import type { Bound, InternalType, LogEntry } from "../kernel/store.ts";
import { macpVersion } from "../protocol/constants.ts";

/** Columns of a query that joins an entry to its session, integers as bigints. */
export const entryColumns = `
  s.session_id, s.mode, e.idx, e.ordinal, e.received_at_ms, e.ends, e.message_type, e.message_id, e.sender,
  e.timestamp_unix_ms, e.payload, iif(e.idx = 0, s.bound, NULL)`;

type Row = readonly SQLOutputValue[];

export function toLogEntry(row: Row, boundOf: (text: string) => Bound): LogEntry {
  const [sessionId, , index, ordinal, receivedAtMs, ends, messageType, , , , payload, bound] = row;
  const place = {
    sessionId: sessionId as string,
    index: Number(index),
    receivedAtMs: Number(receivedAtMs),
    ends: ends === 1n,
  };
  if (ordinal === null) {
    const type = messageType as InternalType;
    return { ...place, kind: "internal", messageType: type, payload: payload as Uint8Array };
  }
  return {
    ...place,
    kind: "incoming",
    ordinal: Number(ordinal),
    envelope: toEnvelope(row),
    ...(typeof bound === "string" ? { bound: boundOf(bound) } : {}),
  };
}

export function toEnvelope(row: Row): Envelope {
  const [sessionId, mode, , , , , messageType, messageId, sender, timestampUnixMs, payload] = row;
  return {
    macpVersion,
    mode: mode as string,
    messageType: messageType as string,
    messageId: messageId as string,
    sessionId: sessionId as string,
    sender: sender as string,
    timestampUnixMs: timestampUnixMs as bigint,
    payload: payload as Uint8Array,
  };
}

/** Sessions of one kind are bound to the same words: each is read once, and the policy in it is one object. */
export function createBoundReader(): (text: string) => Bound {
  const known = new Map<string, Bound>();
  return (text) => {
    const found = known.get(text) ?? (JSON.parse(text) as Bound);
    if (known.size > 1000) known.clear();
    known.set(text, found);
    return found;
  };
}
