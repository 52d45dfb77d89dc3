import { decodeEnvelope, opKindName, stringifyJson, type WireValue } from "@agentkeys/contract";
import type { FeedSource } from "./event-feed.ts";
import type { LogEntry, Store } from "../store/store.ts";

/** Entries read at a time. */
const BATCH = 64;

export interface FeedOptions {
  /** Last sequence number that the reader has; undefined = from the next record on. */
  readonly after: number | undefined;
  /** Whose records are shown; undefined = everybody's. */
  readonly operator: string | undefined;
}

/** The log as events, in order, without gaps or duplicates. */
export function auditSource(store: Store, { after, operator }: FeedOptions): FeedSource {
  // Last sequence number that was read; undefined until the next record is written.
  let cursor = after;
  return {
    opening: ": audit\n\n",
    behind: after !== undefined,
    subscribe: (wake) =>
      store.subscribe(([first]) => {
        if (first !== undefined) cursor ??= first.seq - 1;
        wake();
      }),
    async read() {
      const entries = await store.entriesAfter(cursor ?? 0, BATCH);
      const last = entries.at(-1);
      if (last === undefined) return undefined;
      cursor = last.seq;
      return entries.map((entry) => toEvent(entry, operator)).join("");
    },
  };
}

function toEvent({ seq, envelope_hash, bytes }: LogEntry, operator: string | undefined): string {
  const { op_kind, ...envelope } = decodeEnvelope(bytes);
  if (operator !== undefined && envelope.operator_omni !== operator) return "";
  const data: WireValue = {
    seq,
    envelope_hash,
    envelope: { ...envelope, op_kind, op: opKindName(op_kind) },
  };
  return `id: ${seq}\nevent: audit\ndata: ${stringifyJson(data)}\n\n`;
}
