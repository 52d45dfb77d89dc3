import { describe, expect, test } from "vitest";
import { devAgent } from "../protocol/auth.ts";
import type { DecisionSession } from "../sessions/decision.ts";
import { ann, bob, cid, openWorld, party } from "../sessions/worlds.test-kit.ts";
import {
  commitWith,
  evaluateWith,
  majorityCommitter,
  majorityVoter,
  voteWith,
} from "./decision-strategies.ts";
import { createParticipant, type Strategy } from "./participant.ts";

describe("a participant", () => {
  test("hears others' messages decoded and in order, phases as they change, and the end", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    const theirs = await as(bob).decision.join(session.id);
    const heard: unknown[] = [];
    const participant = createParticipant(theirs, {
      me: "bob",
      on: {
        Proposal: async ({ payload, sender }, context) => {
          heard.push([sender, payload.proposalId, context.me]);
          await context.session.evaluate(payload.proposalId, "approve", { confidence: 0.5 });
        },
        Evaluation: ({ sender }) => void heard.push(sender),
        Commitment: ({ payload }) => void heard.push(payload.action),
      },
      onPhase: (phase) => void heard.push(phase),
      onEnd: (ending) => void heard.push(ending),
    });
    const running = participant.run();
    await session.propose("p", "x");
    await session.until(({ state }) => state.evaluations.length === 1);
    await session.evaluate("p", "review", { as: cid });
    await session.commit({ action: "x.selected", authorityScope: "s", reason: "r" });
    expect(await running).toBe("resolved");
    expect(heard.filter((entry) => entry !== "Proposal" && entry !== "Evaluation")).toEqual([
      ["ann", "p", "bob"],
      "cid",
      "x.selected",
      "Committed",
      "resolved",
    ]);
    expect(participant.cursor).toBe(5);
  });

  test("goes on after its cursor, and does not stop at an accepted handoff", async () => {
    const { client } = openWorld();
    await using session = await client.handoff.start(party);
    await session.offer("h", "bob");
    await session.acceptHandoff("h", { as: bob });
    const heard: string[] = [];
    const on = {
      HandoffOffer: () => void heard.push("offer"),
      HandoffAccept: () => void heard.push("accept"),
      Commitment: () => void heard.push("commitment"),
    };
    const participant = createParticipant(session, { me: "cid", on, after: 2 });
    const running = participant.run();
    await session.commit({ action: "h.accepted", authorityScope: "s", reason: "r" });
    expect([await running, heard]).toEqual(["resolved", ["accept", "commitment"]]);
  });

  test("a handler that throws ends the run, its message not counted; with onError it goes on", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    await session.propose("p", "x", { as: bob });
    const broken = { Proposal: () => Promise.reject(new Error("no idea")) };
    const stopped = createParticipant(session, { me: "ann", on: broken });
    await expect(stopped.run()).rejects.toThrow("no idea");
    expect(stopped.cursor).toBe(1);

    const errors: unknown[] = [];
    const onError = (error: unknown, { messageType }: { messageType: string }) =>
      void errors.push([(error as Error).message, messageType]);
    const lasting = createParticipant(session, { me: "ann", on: broken, onError });
    const running = lasting.run();
    await session.commit({ action: "x.selected", authorityScope: "s", reason: "r" });
    expect(await running).toBe("resolved");
    expect(errors).toEqual([["no idea", "Proposal"]]);
  });

  test("stops when told to, and with its signal", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    const participant = createParticipant(session, { me: "ann" });
    const running = participant.run();
    participant.stop();
    expect(await running).toBeUndefined();
    const stopping = new AbortController();
    const other = createParticipant(session, { me: "ann" }).run({ signal: stopping.signal });
    stopping.abort();
    expect(await other).toBeUndefined();
  });
});

describe("strategies", () => {
  test("three agents decide by themselves", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    const agent = async (me: string, recommendation: "approve" | "reject") => {
      const theirs = await as(devAgent(me)).decision.join(session.id);
      return createParticipant(theirs, {
        me,
        strategies: [
          evaluateWith(({ option }) => ({ recommendation, reason: `on ${option}` })),
          voteWith(majorityVoter()),
        ],
      }).run();
    };
    const chair = createParticipant(session, {
      me: "ann",
      strategies: [
        voteWith(() => ({ vote: "abstain" }), { ready: (p) => p.phase === "Voting" }),
        commitWith(majorityCommitter({ action: "plan", authorityScope: "release", quorumSize: 3 })),
      ],
    }).run();
    const agents = [agent("bob", "approve"), agent("cid", "approve")];
    await session.propose("p", "ship it");
    expect(await Promise.all([chair, ...agents])).toEqual(["resolved", "resolved", "resolved"]);
    const { projection } = session;
    expect(projection.commitment).toMatchObject({ action: "plan.selected", reason: "winner=p" });
    expect(projection.state.evaluations.map(({ sender }) => sender).toSorted()).toEqual([
      "bob",
      "cid",
    ]);
    expect(projection.voteTotals().get("p")).toEqual({ approve: 2, reject: 0, abstain: 1 });
  });

  test("nothing is done twice, however often a history is gone through", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    await session.propose("p", "x", { as: bob });
    const asked: string[] = [];
    const strategy = evaluateWith(({ proposalId }) => {
      asked.push(proposalId);
      return { recommendation: "approve" };
    });
    for (const after of [0, 0, 1]) {
      const participant = createParticipant(session, { me: "ann", strategies: [strategy], after });
      for (const envelope of session.projection.transcript.slice(after)) {
        await participant.process(envelope);
      }
    }
    expect([asked, session.projection.state.evaluations.length]).toEqual([["p"], 1]);
  });

  test("an opinion that comes too late is no error; any other refusal is one", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    await session.propose("p", "x", { as: bob });
    const last = session.projection.transcript.at(-1);
    if (last === undefined) throw new Error("nothing was said");
    const overtaken = evaluateWith(async ({ proposalId }) => {
      await session.vote(proposalId, "approve", { as: cid });
      return { recommendation: "reject" };
    });
    const run = (strategy: Strategy<DecisionSession>) =>
      createParticipant(session, { me: "ann", strategies: [strategy] }).process(last);
    await run(overtaken);
    expect(session.projection.state.evaluations).toEqual([]);
    const nonsense = commitWith(() => ({ action: " ", authorityScope: "s", reason: "r" }));
    await expect(run(nonsense)).rejects.toMatchObject({ code: "invalid_params" });
  });

  test("undefined leaves a proposal alone, and nobody votes before it is time", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    await session.propose("p", "x", { as: bob });
    let asked = 0;
    const participant = createParticipant(session, {
      me: "ann",
      strategies: [
        evaluateWith(() => {
          asked += 1;
          return undefined;
        }),
        voteWith(() => ({ vote: "approve" })),
      ],
    });
    for (const envelope of session.projection.transcript) await participant.process(envelope);
    expect([asked, session.projection.state.votes.size]).toEqual([1, 0]);
    await session.evaluate("p", "approve", { as: cid });
    const [, , evaluation] = session.projection.transcript;
    if (evaluation) await participant.process(evaluation);
    expect(session.projection.state.votes.get("p")?.has("ann")).toBe(true);
  });
});

test("a majority's voter and committer abstain where there is nothing to go by", async () => {
  const { client } = openWorld();
  await using session = await client.decision.start(party);
  await session.propose("p", "x");
  const [proposal] = session.projection.state.proposals.values();
  if (proposal === undefined) throw new Error("no proposal");
  const context = { session, me: "bob", signal: new AbortController().signal };
  const commit = majorityCommitter({ action: "plan", authorityScope: "s" });
  expect(majorityVoter()(proposal, context).vote).toBe("ABSTAIN");
  await session.evaluate("p", "approve", { as: bob });
  await session.evaluate("p", "block", { as: cid });
  expect(majorityVoter()(proposal, context).vote).toBe("REJECT");
  expect(majorityVoter({ threshold: 0.4 })(proposal, context).vote).toBe("APPROVE");
  await session.raiseObjection("p", { severity: "critical", as: cid });
  await session.vote("p", "approve", { as: ann });
  expect(session.projection.majorityWinner()).toBe("p");
  expect(commit(session.projection)).toBeUndefined();
});
