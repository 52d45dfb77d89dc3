import { createInterface } from "node:readline/promises";
import type { Approval, ApprovalStatus, Operator } from "@agentkeys/core";
import { AgentKeysError } from "@agentkeys/core";
import pc from "picocolors";
import { UsageError } from "../exit-code.ts";
import { type OperatorFlags, withOperator } from "../operator-from-flags.ts";
import { printable } from "../printable.ts";

interface ListFlags extends OperatorFlags {
  status: string;
}

const statuses = ["pending", "approved", "denied", "withdrawn", "expired", "all"];

export async function approvalsList(flags: ListFlags): Promise<void> {
  const { status } = flags;
  if (!statuses.includes(status)) {
    throw new UsageError(`--status ${status}: expected ${statuses.join(", ")}`);
  }
  const filter = status === "all" ? {} : { status: status as ApprovalStatus };
  // A reader that has seen enough (`| head`) ends the list.
  const stop = new AbortController();
  process.stdout.on("error", () => stop.abort());
  await withOperator(flags, async ({ approvals }) => {
    let after: string | undefined;
    do {
      const page = await approvals.list({ ...filter, after });
      for (const approval of page) {
        if (stop.signal.aborted) return;
        const line = flags.json ? JSON.stringify(approval) : lineOf(approval);
        process.stdout.write(`${line}\n`);
      }
      after = page.at(-1)?.id;
    } while (after !== undefined);
  });
}

interface DecideFlags extends OperatorFlags {
  digest?: string;
  reason: string;
  by?: string;
  remember?: string;
  for: string;
  ttl: string;
}

export async function approvalsApprove(id: string, flags: DecideFlags): Promise<void> {
  const remember = rememberOf(flags);
  await decide(id, flags, (operator, digest) =>
    operator.approvals.approve(id, { ...said(flags), digest, remember }),
  );
}

export async function approvalsDeny(id: string, flags: DecideFlags): Promise<void> {
  await decide(id, flags, (operator, digest) =>
    operator.approvals.deny(id, { ...said(flags), digest }),
  );
}

function said({ reason, by }: DecideFlags) {
  return by === undefined ? { reason } : { reason, by };
}

function rememberOf({ remember: match, for: whose, ttl }: DecideFlags) {
  if (match === undefined) return undefined;
  if (match !== "tool" && match !== "input") {
    throw new UsageError(`--remember ${match}: expected tool or input`);
  }
  if (whose !== "thread" && whose !== "actor") {
    throw new UsageError(`--for ${whose}: expected thread or actor`);
  }
  if (!/^[1-9]\d{0,8}$/.test(ttl)) throw new UsageError(`--ttl ${ttl}: expected seconds`);
  return { match, for: whose, ttl: Number(ttl) } as const;
}

type Decision = (
  operator: Operator,
  digest: string,
) => ReturnType<Operator["approvals"]["approve"]>;

/** A decision quotes the digest of what was read: the one given, or that of what is shown here and confirmed. */
async function decide(id: string, flags: DecideFlags, send: Decision): Promise<void> {
  const { approval } = await withOperator(flags, async (operator) =>
    send(operator, flags.digest ?? (await confirmed(operator, id))),
  );
  const { outcome = approval.status, at = 0 } = approval.decided ?? {};
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(approval)}\n`
      : `${approval.id} ${outcome} at ${new Date(at * 1000).toISOString()}\n`,
  );
}

async function confirmed(operator: Operator, id: string): Promise<string> {
  const approval = await find(operator, id);
  process.stderr.write(`${describe(approval)}\n`);
  if (!process.stdin.isTTY) {
    throw new UsageError(`nobody to ask: read the above, then pass --digest ${approval.digest}`);
  }
  const prompt = createInterface({ input: process.stdin, output: process.stderr });
  const answer = await prompt.question("Decide so? [y/N] ").finally(() => prompt.close());
  if (/^y(es)?$/i.test(answer.trim())) return approval.digest;
  throw new AgentKeysError("invalid_request", "nothing was decided");
}

async function find(operator: Operator, id: string): Promise<Approval> {
  let after: string | undefined;
  for (;;) {
    const page = await operator.approvals.list({ status: "pending", after });
    const found = page.find((approval) => approval.id === id);
    if (found !== undefined) return found;
    after = page.at(-1)?.id;
    if (after === undefined) {
      throw new AgentKeysError("not_found", `no pending approval ${printable(id)}`);
    }
  }
}

function lineOf(approval: Approval): string {
  const { id, status, tool, actor, text, created_at } = approval;
  const when = new Date(created_at * 1000).toISOString();
  const [first = ""] = text.split("\n");
  return [
    id,
    when,
    status.padEnd(9),
    `${actor.slice(0, 10)}…`,
    printable(tool),
    printable(first),
  ].join("  ");
}

/** All that the digest binds, and what the policy was asked. */
function describe(approval: Approval): string {
  const { tool, scope, params, actor, text, explanation, expires_at, digest } = approval;
  const rows = [
    ["tool", tool],
    ["agent", actor],
    ["scope", scope ?? "none"],
    ["params", JSON.stringify(params)],
    ["why", explanation],
    ["until", new Date(expires_at * 1000).toISOString()],
    ["digest", digest],
  ].map(([name = "", value = ""]) => `${pc.dim(name.padEnd(7))} ${printable(value)}`);
  return [pc.bold(printable(text)), ...rows].join("\n");
}
