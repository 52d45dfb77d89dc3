import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { MacpClient } from "../client/client.ts";
import { createDecisionProjection } from "../projections/decision.ts";
import { createHandoffProjection } from "../projections/handoff.ts";
import { createMultiRoundProjection } from "../projections/multi-round.ts";
import { type Projection, replay } from "../projections/projection.ts";
import { createProposalProjection } from "../projections/proposal.ts";
import { createQuorumProjection } from "../projections/quorum.ts";
import { createTaskProjection } from "../projections/task.ts";
import { devAgent } from "../protocol/auth.ts";
import type { DecisionSession } from "./decision.ts";
import type { HandoffSession } from "./handoff.ts";
import type { SessionMode } from "./mode-session.ts";
import type { MultiRoundSession } from "./multi-round.ts";
import type { ProposalSession } from "./proposal.ts";
import type { QuorumSession } from "./quorum.ts";
import type { CommitOptions, SendOptions, Session } from "./session-surface.ts";
import type { TaskSession } from "./task.ts";
import type { Connect } from "./sessions.suite.ts";
import { party } from "./worlds.test-kit.ts";

/** What a message is about, and who sends it. */
type About = SendOptions & { id: string; other: string };
type Act<S> = (session: S, about: About) => Promise<unknown>;

interface Tried<S> {
  readonly mode: (client: MacpClient) => SessionMode<S>;
  readonly project: () => Projection;
  readonly acts: readonly Act<S>[];
}

type Committing = { commit(commitment: CommitOptions): Promise<unknown> };
const ends = { authorityScope: "test", reason: "test" };
const commit =
  (action: string): Act<Committing> =>
  (session, { as }) =>
    session.commit({ ...ends, action, as });

const decision: Tried<DecisionSession> = {
  mode: (client) => client.decision,
  project: createDecisionProjection,
  acts: [
    (s, { id, as }) => s.propose(id, "x", { as }),
    (s, { id, as }) => s.evaluate(id, "review", { as }),
    (s, { id, as }) => s.raiseObjection(id, { severity: "critical", as }),
    (s, { id, as }) => s.vote(id, "approve", { as }),
    (s, { id, as }) => s.vote(id, "reject", { as }),
    commit("x.selected"),
  ],
};
const proposal: Tried<ProposalSession> = {
  mode: (client) => client.proposal,
  project: createProposalProjection,
  acts: [
    (s, { id, as }) => s.propose(id, "x", { as }),
    (s, { id, other, as }) => s.counterPropose(id, { supersedes: other, title: "x" }, { as }),
    (s, { id, as }) => s.accept(id, { as }),
    (s, { id, as }) => s.reject(id, { terminal: true, as }),
    (s, { id, as }) => s.withdraw(id, { as }),
    commit("x.accepted"),
  ],
};
const task: Tried<TaskSession> = {
  mode: (client) => client.task,
  project: createTaskProjection,
  acts: [
    (s) => s.requestTask("p", "x"),
    (s, { as }) => s.acceptTask("p", { as }),
    (s, { as }) => s.rejectTask("p", { as }),
    (s) => s.updateTask("p", { progress: 0.5, as: devAgent("bob") }),
    (s, { as }) => s.completeTask("p", { as }),
    (s, { id }) => s.failTask(id, { retryable: true, as: devAgent("bob") }),
    commit("x.completed"),
  ],
};
const handoff: Tried<HandoffSession> = {
  mode: (client) => client.handoff,
  project: createHandoffProjection,
  acts: [
    (s, { id, as }) => s.offer(id, "bob", { as }),
    (s, { id, as }) => s.addContext(id, "x", { as }),
    (s, { id }) => s.acceptHandoff(id, { as: devAgent("bob") }),
    (s, { id, as }) => s.decline(id, { as }),
    commit("x.accepted"),
  ],
};
const quorum: Tried<QuorumSession> = {
  mode: (client) => client.quorum,
  project: createQuorumProjection,
  acts: [
    (s, { as }) => s.requestApproval("p", "x", { requiredApprovals: 2, as }),
    (s, { as }) => s.approve("p", { as }),
    (s, { as }) => s.reject("p", { as }),
    (s, { id, as }) => s.abstain(id, { as }),
    commit("x.approved"),
  ],
};
const multiRound: Tried<MultiRoundSession> = {
  mode: (client) => client.multiRound,
  project: createMultiRoundProjection,
  acts: [
    (s, { as }) => s.contribute("1", { as }),
    (s, { as }) => s.contribute("2", { as }),
    commit("x.selected"),
  ],
};

/** Whether the runtime took it. */
const isTaken = (sending: Promise<unknown>) =>
  sending.then(
    () => true,
    () => false,
  );

/** What a projection says, in a form that compares. */
function told({ state, phase, commitment, transcript }: Projection) {
  return { state, phase, commitment, ids: transcript.map(({ messageId }) => messageId) };
}

interface Checking {
  readonly client: MacpClient;
  /** Histories to try. */
  readonly runs: number;
}

async function check<S extends Session>(
  { mode: modeOf, project, acts }: Tried<S>,
  { client, runs: numRuns }: Checking,
): Promise<number> {
  const mode = modeOf(client);
  const tries = fc.record({
    act: fc.constantFrom(...acts),
    // The one who may begin most often is tried most often.
    as: fc.constantFrom("ann", "ann", "bob", "cid", "eve"),
    id: fc.constantFrom("p", "q"),
    other: fc.constantFrom("p", "q"),
  });
  let accepted = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(tries, { minLength: 5, maxLength: 30 }), async (history) => {
      await using session = await mode.start(party);
      const { projection } = session;
      const [opening] = acts;
      if (opening) await opening(session, { id: "p", other: "p" });
      for (const { act, as, ...about } of history) {
        const before = told(projection);
        const taken = await isTaken(act(session, { ...about, as: devAgent(as) }));
        expect(projection.transcript.length - before.ids.length).toBe(taken ? 1 : 0);
        expect(taken || before.state === projection.state).toBe(true);
        accepted += taken ? 1 : 0;
      }
      expect(projection.anomalies).toEqual([]);
      expect(told(await replay(project(), projection.transcript))).toEqual(told(projection));
      await using joined = await mode.join(session.id);
      expect(told(joined.projection)).toEqual(told(projection));
    }),
    { numRuns },
  );
  return accepted;
}

async function checkQuorum({ client, runs: numRuns }: Checking): Promise<void> {
  const ballots = fc.array(
    fc.constantFrom("approve" as const, "reject" as const, "abstain" as const),
    { maxLength: 3 },
  );
  await fc.assert(
    fc.asyncProperty(ballots, fc.integer({ min: 1, max: 3 }), async (cast, requiredApprovals) => {
      await using session = await client.quorum.start(party);
      const { projection } = session;
      await session.requestApproval("r", "deploy", { requiredApprovals });
      for (const [index, ballot] of cast.entries()) {
        await session[ballot]("r", { as: devAgent(party.participants[index] ?? "") });
      }
      const due = projection.commitmentReady();
      const action = projection.hasQuorum() ? "deploy.approved" : "deploy.rejected";
      expect(await isTaken(session.commit({ ...ends, action }))).toBe(due);
    }),
    { numRuns },
  );
}

/** Random histories against a runtime: what it takes is what projections tell, everywhere the same. */
export function describeHistories(connect: Connect, { runs }: Pick<Checking, "runs">): void {
  describe("whatever is tried", () => {
    let client: MacpClient;
    beforeAll(async () => {
      client = await connect({ auth: devAgent("ann") });
    });
    afterAll(async () => client.close());

    test.each([
      ["decision", (how: Checking) => check(decision, how)],
      ["proposal", (how: Checking) => check(proposal, how)],
      ["task", (how: Checking) => check(task, how)],
      ["handoff", (how: Checking) => check(handoff, how)],
      ["quorum", (how: Checking) => check(quorum, how)],
      ["multi-round", (how: Checking) => check(multiRound, how)],
    ])(
      "%s: a refusal changes nothing, and live, replayed and joined tell the same",
      async (_, run) => {
        expect(await run({ client, runs })).toBeGreaterThan(0);
      },
    );

    test("quorum: a commitment is accepted exactly when the projection says that it is due", async () => {
      expect.hasAssertions();
      await checkQuorum({ client, runs });
    });
  });
}
