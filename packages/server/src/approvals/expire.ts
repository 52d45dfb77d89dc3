import { unixNow } from "../audit/records.ts";
import type { Services } from "../services.ts";
import { expiry } from "./decisions.ts";

/** Ended in one go. */
const BATCH = 64;

/** Writes down that time ran out for those that still wait, when somebody looks. */
export async function expireOverdue(services: Services): Promise<void> {
  const { store, asked } = services;
  const now = unixNow(services);
  for (;;) {
    const overdue = await store.overdueApprovals(now, BATCH);
    await Promise.all(
      overdue.map((id) =>
        store.changeApproval(id, (row) =>
          row.status === "pending" ? expiry(services, row) : undefined,
        ),
      ),
    );
    if (overdue.length > 0) asked.changed("", 0);
    if (overdue.length < BATCH) return;
  }
}
