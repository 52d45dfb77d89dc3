import { type Approval, decodeEnvelope, opKindName } from "@agentkeys/contract";
import {
  type Client,
  createClient,
  createGuard,
  createOperator,
  type Operator,
} from "@agentkeys/core";
import { type Authority, createAuthority } from "@agentkeys/server";
import { onTestFinished } from "vitest";
import type { MacpClient } from "../client/client.ts";
import { devAgent } from "../protocol/auth.ts";
import { openWorld } from "../sessions/worlds.test-kit.ts";
import { createApprovalBridge } from "./bridge.ts";
import type { ApprovalBridge, Poll } from "./bridge-surface.ts";
import type { VoteMode } from "./vote.ts";

const omni = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;
const identity = { token: "vendor", actor, operator: omni, deviceKeyHash: `0x${"de".repeat(32)}` };

export interface SceneOptions {
  mode?: VoteMode;
  approvers?: string[];
  required?: number;
  /** Names connect through it. Default: a runtime in this process. */
  connect?: (name: string) => MacpClient;
}

/** A real authority, a real guard, a real runtime, and the bridge between them. */
export interface Scene {
  readonly authority: Authority;
  readonly operator: Operator;
  readonly client: Client;
  readonly bridge: ApprovalBridge;
  readonly connect: (name: string) => MacpClient;
  /** What the guarded tool did. */
  readonly ran: string[];
  /** Every poll so far. */
  readonly polls: Poll[];
  /** Calls the guarded tool, which asks. */
  call(what: string, callId?: string): Promise<string>;
  /** The same, and the approval that it now waits for. */
  ask(what: string): Promise<Approval>;
  /** Has it decided; resolves when the question is put. */
  poll(approval: Approval): Promise<{ poll: Poll; decided: ReturnType<ApprovalBridge["decide"]> }>;
  vote(name: string, sessionId: string, choice?: "approve" | "reject" | "abstain"): Promise<void>;
  status(approval: Approval): Promise<Approval["status"] | undefined>;
  /** Bodies of the records of decisions. */
  decisions(): Promise<Record<string, unknown>[]>;
  /** Moves the authority's clock, in seconds. */
  pass(seconds: number): void;
}

export async function openScene(options: SceneOptions = {}): Promise<Scene> {
  const { mode = "quorum", approvers = ["ann", "bob", "cid"], required = 2 } = options;
  let ahead = 0;
  const authority = await createAuthority({
    data: ":memory:",
    clock: () => Date.now() + ahead,
    config: {
      vendors: { shop: { token: "value:vendor" } },
      operators: { [omni]: { token: "value:operator" } },
      actors: {
        [actor]: {
          operator: omni,
          vendor: "shop",
          scopes: { "deploy.run": { quorum: { approvers, required } }, "mail.send": "ask" },
        },
      },
    },
  });
  const operator = createOperator({ fetch: authority.fetch, token: "operator" });
  const client = createClient({ fetch: authority.fetch, ...identity });
  onTestFinished(async () => {
    for (const open of [client, operator, authority]) await open.close();
  });
  const connect = options.connect ?? inProcess();
  const polls: Poll[] = [];
  const told = new Set<(poll: Poll) => void>();
  const onPoll = (poll: Poll): void => {
    polls.push(poll);
    for (const tell of told) tell(poll);
  };
  const bridge = createApprovalBridge({ client: connect("bridge"), operator, mode, onPoll });
  const { ran, call, ask } = caller(client, operator);
  return {
    authority,
    operator,
    client,
    bridge,
    connect,
    ran,
    polls,
    call,
    ask,
    poll(approval) {
      return new Promise((resolve, reject) => {
        const tell = (poll: Poll): void => {
          if (poll.approval.id !== approval.id) return;
          told.delete(tell);
          resolve({ poll, decided });
        };
        told.add(tell);
        const decided = bridge.decide(approval);
        decided.catch(reject);
      });
    },
    async vote(name, sessionId, choice = "approve") {
      const voter = connect(name);
      await using session = await voter[mode].join(sessionId);
      const asked = () =>
        "request" in session.projection.state
          ? session.projection.state.request?.requestId
          : "proposals" in session.projection.state &&
            [...session.projection.state.proposals.keys()][0];
      const id = await session.until(asked);
      if ("vote" in session) await session.vote(id, choice);
      else await session[choice](id);
    },
    async status({ id }) {
      return (await operator.approvals.list()).find((one) => one.id === id)?.status;
    },
    async decisions() {
      const rows = (await authority.records()).map(({ bytes }) => decodeEnvelope(bytes));
      return rows.flatMap(({ op_kind, op_body }) =>
        opKindName(op_kind) === "runtime.approval" ? [op_body as Record<string, unknown>] : [],
      );
    },
    pass: (seconds) => void (ahead += seconds * 1000),
  };
}

function caller(client: Client, operator: Operator): Pick<Scene, "ran" | "call" | "ask"> {
  const ran: string[] = [];
  const guard = createGuard({
    client,
    tools: { deploy: { scope: "deploy.run", record: ["what"] } },
  });
  let calls = 0;
  const call = async (what: string, callId = `call-${++calls}`) => {
    const asked = { tool: "deploy", input: { what }, callId, runKey: "release" };
    const outcome = await guard.run(asked, () => ran.push(what));
    return outcome.status === "ran" ? (outcome.replayed ? "replayed" : "ran") : outcome.code;
  };
  const ask = async (what: string): Promise<Approval> => {
    await call(what, what);
    const [approval] = await operator.approvals.list({ callId: what });
    if (approval === undefined) throw new Error("nobody was asked");
    return approval;
  };
  return { ran, call, ask };
}

function inProcess(): (name: string) => MacpClient {
  const { as } = openWorld();
  return (name) => as(devAgent(name));
}
