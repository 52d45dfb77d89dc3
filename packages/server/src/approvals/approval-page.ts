import type { Approval } from "@agentkeys/contract";
import type { Services } from "../services.ts";
import { shownTo } from "./approval.ts";
import type { ApprovalFilter } from "./approval-store.ts";

/** Bytes of JSON after which an answer ends: clients read 4 MiB, and inputs may be long. */
const PAGE_LIMIT = 2 << 20;
/** Approvals read at a time. */
const BATCH = 32;

/** In the order of asking: at most `limit`, fewer where they are long, but one at least. Whoever wants more goes on after the last. */
export async function pageOf(
  services: Services,
  reader: "operator" | "actor",
  { filter, after, limit }: { filter: ApprovalFilter; after: string | undefined; limit: number },
): Promise<Approval[]> {
  const page: Approval[] = [];
  let from = after;
  let size = 0;
  while (page.length < limit) {
    const most = Math.min(BATCH, limit - page.length);
    const rows = await services.store.approvals(filter, { after: from, limit: most });
    for (const row of rows) {
      const approval = await shownTo(services, reader, row);
      size += Buffer.byteLength(JSON.stringify(approval));
      if (size > PAGE_LIMIT && page.length > 0) return page;
      page.push(approval);
    }
    if (rows.length < most) break;
    from = rows.at(-1)?.id;
  }
  return page;
}
