import type { FeedSource } from "../audit/event-feed.ts";
import type { Services } from "../services.ts";
import { shownTo } from "./approval.ts";
import type { ApprovalFilter, ApprovalRow } from "./approval-store.ts";
import { expireOverdue } from "./expire.ts";

/** Approvals read at a time. */
const BATCH = 32;

export interface ReaderOptions {
  /** Last change that the reader has; undefined = all that is pending first, then `ready`. */
  readonly after: number | undefined;
  readonly filter: ApprovalFilter;
  readonly reader: "operator" | "actor";
}

/** Approvals as events, in the order of their changes: each as it stands now, so states in between may be left out. */
export function approvalSource(services: Services, options: ReaderOptions): FeedSource {
  const { filter, reader } = options;
  const { store } = services;
  let cursor = options.after ?? 0;
  let first: { readonly head: number; pending: number } | undefined;
  let ready = options.after !== undefined;
  const toEvents = async (rows: readonly ApprovalRow[]): Promise<string> => {
    const events = await Promise.all(rows.map((row) => toEvent(services, reader, row)));
    return events.join("");
  };
  const readPending = async (): Promise<string> => {
    const { rows, head } = await store.approvalChanges(
      cursor,
      { ...filter, status: "pending" },
      BATCH,
    );
    first ??= { head, pending: 0 };
    const { head: start } = first;
    const known = rows.filter(({ changed }) => changed <= start);
    first.pending += known.length;
    cursor = known.at(-1)?.changed ?? cursor;
    if (known.length === BATCH) return toEvents(known);
    ready = true;
    // Whatever changed since the first look comes next.
    cursor = start;
    const data = `{"pending":${first.pending}}`;
    return `${await toEvents(known)}id: ${start}\nevent: ready\ndata: ${data}\n\n`;
  };
  return {
    opening: ": approvals\n\n",
    behind: true,
    subscribe: (wake) =>
      services.asked.subscribe((actor) => {
        if (actor === "" || filter.actor === undefined || filter.actor === actor) wake();
      }),
    async read() {
      if (!ready) return readPending();
      const { rows, head } = await store.approvalChanges(cursor, filter, BATCH);
      const last = rows.at(-1)?.changed;
      if (last === undefined) {
        cursor = Math.max(cursor, head);
        return undefined;
      }
      cursor = last;
      return toEvents(rows);
    },
    idle: () => expireOverdue(services),
  };
}

async function toEvent(
  services: Services,
  reader: "operator" | "actor",
  row: ApprovalRow,
): Promise<string> {
  const approval = await shownTo(services, reader, row);
  return `id: ${row.changed}\nevent: approval\ndata: ${JSON.stringify(approval)}\n\n`;
}
