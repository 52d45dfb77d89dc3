import { setTimeout } from "node:timers/promises";
import { AgentKeysError } from "@agentkeys/contract";
import type { GuardCallRow, Store } from "@agentkeys/server";

export interface StoreTrouble {
  /** What goes wrong at this moment; asked for each write. */
  now(): {
    /** `true`: every write fails; `"hangs"`: none is ever answered. */
    readonly auditDown: boolean | "hangs";
    /** Before each write, in milliseconds. */
    readonly latencyMs: number;
  };
  /** Ends what hangs. */
  readonly closing: AbortSignal;
  /** Told after each guarded call that was let through, before its caller is. */
  begun(): Promise<void>;
}

const reads = new Set<string>([
  "envelope",
  "entriesAfter",
  "subscribe",
  "memory",
  "credential",
  "cap",
  "revokedActors",
  "guardCall",
  "approval",
  "approvals",
  "approvalChanges",
  "overdueApprovals",
  "askedActors",
  "rules",
  "rule",
  "close",
] satisfies (keyof Store)[]);

type Method = (...args: unknown[]) => Promise<unknown>;

/** The store, whose writes fail when told to: nothing of them is kept. Reading goes on. */
export function troubledStore(store: Store, trouble: StoreTrouble): Store {
  const troubled = (name: string, write: Method): Method => {
    return async (...args) => {
      const { auditDown, latencyMs } = trouble.now();
      if (latencyMs > 0) await setTimeout(latencyMs);
      if (auditDown === "hangs") await aborted(trouble.closing);
      if (auditDown !== false) throw unwritten();
      const answer = await write(...args);
      if (begunBy(name, args, answer)?.verdict === "accept") await trouble.begun();
      return answer;
    };
  };
  const methods = Object.entries(store as unknown as Record<string, Method>);
  return Object.fromEntries(
    methods.map(([name, method]) => [name, reads.has(name) ? method : troubled(name, method)]),
  ) as unknown as Store;
}

/** The call whose intent this write has written, if it was one. */
function begunBy(
  name: string,
  [first]: readonly unknown[],
  answer: unknown,
): GuardCallRow | undefined {
  const { kind, plan } = (answer ?? {}) as {
    kind?: unknown;
    plan?: { write?: { row: GuardCallRow } };
  };
  if (name === "begin" && kind === "begun") return first as GuardCallRow;
  return name === "meet" && kind === "planned" ? plan?.write?.row : undefined;
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve()));
}

function unwritten(): AgentKeysError {
  return new AgentKeysError("audit_unavailable", "audit_append failed: disk full (mock authority)");
}
