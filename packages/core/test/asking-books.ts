import type { ServerResponse } from "node:http";
import { type Approval, approvalDigest, textDigest } from "@agentkeys/contract";
import { actor, type Books, fusedBooks, type Handler, hash, operator } from "./stand-in.ts";

type Params = Record<string, unknown>;

/** How the feed behaves. `lies`: everything is called approved at once. */
export type FeedKind = "live" | "hangs" | "cut" | "missing" | "garbage" | "silent" | "lies";

export interface AskingBooks extends Books {
  readonly approvals: Map<string, Approval>;
  /** Begins that were answered, in order. */
  readonly begins: Params[];
  readonly ends: Params[];
  readonly withdrawn: string[];
  /** Open connections of the feed, and all there ever were. */
  readonly feeds: { open: Set<ServerResponse>; opened: number };
  decide(id: string, status: "approved" | "denied"): void;
}

/** An authority that asks about everything, and remembers nothing but its approvals. */
export function askingBooks(feed: FeedKind = "live"): AskingBooks {
  const { rows, handlers: plain } = fusedBooks();
  const approvals = new Map<string, Approval>();
  const begins: Params[] = [];
  const ends: Params[] = [];
  const withdrawn: string[] = [];
  const feeds: AskingBooks["feeds"] = { open: new Set(), opened: 0 };
  const tell = (approval: Approval): void => {
    for (const response of feeds.open) response.write(eventOf(approval));
  };
  const change = (id: string, status: Approval["status"]): Approval => {
    const approval = { ...(approvals.get(id) as Approval), status };
    const decided = { outcome: status as "approved", approver: operator, reason: "r", at: 1 };
    const changed = { ...approval, decided };
    approvals.set(id, changed);
    tell(changed);
    return changed;
  };
  const end: Handler = ({ params }) => {
    ends.push(params);
    return { ok: true, envelope_hash: hash };
  };
  const withdraw: Handler = ({ params }) => {
    const id = params["approval"] as string;
    withdrawn.push(id);
    return { ok: true, approval: change(id, "withdrawn") };
  };
  const stream: Handler = (_, response) => {
    feeds.opened += 1;
    answerFeed(feed, response, { approvals, feeds });
  };
  const handlers = {
    ...plain,
    "guard/begin": askingBegin({ begins, approvals, tell }),
    "guard/end": end,
    "guard/withdraw": withdraw,
    "guard/approvals": () => ({ approvals: [...approvals.values()] }),
    "GET /v1/approvals/stream": stream,
  };
  const decide = (id: string, status: "approved" | "denied"): void => void change(id, status);
  return { rows, handlers, approvals, begins, ends, withdrawn, feeds, decide };
}

interface Asking extends Pick<AskingBooks, "begins" | "approvals"> {
  tell(approval: Approval): void;
}

function askingBegin({ begins, approvals, tell }: Asking): Handler {
  const used = new Set<string>();
  return ({ params }) => {
    begins.push(params);
    const { scope, begin_id, refused } = params;
    const known = find(approvals, params);
    const facts = { scope, ticket: "", envelope_hash: null };
    if (refused !== undefined) return { ...facts, ...(refused as object), verdict: "deny" };
    if (known?.status === "approved" && !used.has(known.id)) {
      used.add(known.id);
      const accepted = { verdict: "accept", reason: "approved", explanation: "by op", scope };
      return { ...accepted, ticket: begin_id, envelope_hash: hash, approval: { id: known.id } };
    }
    if (known !== undefined && known.status !== "pending") {
      return { ...facts, verdict: "deny", reason: `approval_${known.status}`, explanation: "" };
    }
    const ask = { ...facts, verdict: "ask_parent", reason: "asks", explanation: "" };
    if (params["may_ask"] === false) return ask;
    const approval = known ?? newApproval(params);
    approvals.set(approval.id, approval);
    if (known === undefined) tell(approval);
    return { ...ask, approval };
  };
}

type Feeding = Pick<AskingBooks, "approvals" | "feeds">;

function answerFeed(feed: FeedKind, response: ServerResponse, state: Feeding): void {
  if (feed === "hangs") return;
  if (feed === "missing") {
    response.writeHead(404);
    response.end();
    return;
  }
  response.writeHead(200, { "content-type": "text/event-stream" });
  if (feed === "silent") {
    response.write(": approvals\n\n");
    return;
  }
  if (feed === "garbage") {
    response.write("event: approval\ndata: {\n\nevent: approval\ndata: null\n\nid: x\n\u0000\n\n");
    response.end();
    return;
  }
  for (const approval of state.approvals.values()) {
    const status = feed === "lies" ? "approved" : approval.status;
    if (status === "pending" || feed === "lies") response.write(eventOf({ ...approval, status }));
  }
  response.write("id: 1\nevent: ready\ndata: {}\n\n");
  if (feed === "cut") {
    setTimeout(() => response.socket?.destroy(), 5);
    return;
  }
  state.feeds.open.add(response);
  response.on("close", () => state.feeds.open.delete(response));
}

function eventOf(approval: Approval): string {
  return `id: 2\nevent: approval\ndata: ${JSON.stringify(approval)}\n\n`;
}

function find(approvals: Map<string, Approval>, params: Params): Approval | undefined {
  const { grant, tool, call_id, input_digest } = params;
  return [...approvals.values()].find(
    (one) =>
      (grant === undefined || one.id === grant) &&
      one.tool === tool &&
      one.call_id === call_id &&
      one.input_digest === input_digest,
  );
}

let made = 0;

/** A pending approval of this begin, whole. */
export function newApproval(params: Params): Approval {
  const { tool, scope, call_id, input_digest, describe, run_key } = params as {
    tool: string;
    scope: string | null;
    call_id: string;
    input_digest: string;
    describe?: string;
    run_key?: string;
  };
  const text = describe ?? `run ${tool}`;
  const bound = {
    id: `apr_${++made}`,
    actor,
    tool,
    scope,
    input_digest,
    text_digest: textDigest(text),
    policy_version: "1",
    call_id,
    ...(run_key !== undefined && { run_key }),
    expires_at: 2_000_000_000,
  };
  return {
    ...bound,
    kind: "guard",
    operator_omni: operator,
    params: {},
    text,
    digest: approvalDigest(bound),
    reason: "approval_required",
    explanation: "ask",
    status: "pending",
    created_at: 1_000_000_000,
  };
}
