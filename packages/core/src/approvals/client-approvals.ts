import { filterFields } from "./approval-filter.ts";
import type { ClientApprovals } from "./approval-surface.ts";
import { isRecord } from "../json/is-record.ts";
import { isApproval, readApprovals } from "./read-approval.ts";
import { unavailable } from "../transport/unavailable.ts";
import type { Wire } from "../transport/wire.ts";

export function createClientApprovals(wire: Wire): ClientApprovals {
  return Object.freeze<ClientApprovals>({
    async list(filter = {}, call = {}) {
      const params = { actor: wire.identity.need("actor"), ...filterFields(filter) };
      const options = { limits: wire.limits(call), repeat: true };
      return readApprovals(await wire.request("guard/approvals", params, options));
    },
    watch: ({ signal } = {}) => wire.watch({ signal }),
    async withdraw(id, call = {}) {
      const params = { actor: wire.identity.need("actor"), approval: id };
      const options = { limits: wire.limits(call), repeat: true };
      const answer = await wire.request("guard/withdraw", params, options);
      const approval = isRecord(answer) ? answer["approval"] : undefined;
      if (isApproval(approval) && approval.id === id) return approval;
      throw unavailable("malformed answer: not an approval");
    },
  });
}
