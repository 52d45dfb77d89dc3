import { AgentKeysError } from "@agentkeys/contract";
import { describe, expect, test } from "vitest";
import { refusalOf } from "../protocol/refusal.ts";
import { bearer } from "../protocol/auth.ts";
import { ann, bob, cid, eve, openWorld, party } from "./worlds.test-kit.ts";

const codeOf = async (promise: Promise<unknown>) => {
  const error: unknown = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  return refusalOf(error)?.code ?? (AgentKeysError.is(error) ? error.code : error);
};

describe("a session", () => {
  test("shows each message as soon as sending it resolves, whoever sent it", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    const theirs = await as(bob).decision.join(session.id);
    await session.propose("p", "this way");
    expect(session.projection.transcript).toHaveLength(2);
    await theirs.vote("p", "approve");
    expect(theirs.projection.voteTotals().get("p")?.approve).toBe(1);
    // Whoever sends next has seen what was accepted before.
    await session.vote("p", "approve");
    expect(session.projection.voteTotals().get("p")?.approve).toBe(2);
    expect(session.projection.transcript.map(({ sender }) => sender)).toEqual([
      "ann",
      "ann",
      "bob",
      "ann",
    ]);
  });

  test("many at once: the projection has them in the runtime's order", async () => {
    const { client, runtime } = openWorld();
    await using session = await client.proposal.start(party);
    await Promise.all(
      Array.from({ length: 50 }, (_, i) =>
        session.propose(`p${i}`, "t", { as: [ann, bob, cid][i % 3] }),
      ),
    );
    const accepted = runtime.kernel.history(session.id)?.map(({ envelope }) => envelope.messageId);
    expect(session.projection.transcript.map(({ messageId }) => messageId)).toEqual(accepted);
    expect(accepted).toHaveLength(51);
  });

  test("sending again under the same id is accepted once", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    const messageId = "once";
    const first = await session.propose("p", "this way", { messageId });
    const second = await session.propose("p", "this way", { messageId });
    expect([first.duplicate, second.duplicate]).toEqual([false, true]);
    const both = [1, 2].map(() => session.propose("q", "that way", { messageId: "both" }));
    expect((await Promise.all(both)).map(({ duplicate }) => duplicate)).toEqual([false, true]);
    expect(session.projection.transcript).toHaveLength(3);
  });

  test("a refusal names the registry's code and leaves the projection alone", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    expect(await codeOf(session.vote("nothing", "approve"))).toBe("INVALID_ENVELOPE");
    expect(await codeOf(session.propose("p", "x", { as: eve }))).toBe("FORBIDDEN");
    expect(await codeOf(session.commit({ action: "a", authorityScope: "s", reason: "r" }))).toBe(
      "INVALID_ENVELOPE",
    );
    expect(session.projection.transcript).toHaveLength(1);
  });

  test("what no runtime takes is refused before the wire", async () => {
    const { client, runtime } = openWorld();
    expect(await codeOf(client.decision.start({ ...party, ttlMs: 0 }))).toBe("INVALID_ENVELOPE");
    expect(await codeOf(client.decision.start({ ...party, participants: ["a", "a "] }))).toBe(
      "INVALID_ENVELOPE",
    );
    expect(await codeOf(client.decision.start(party, { sessionId: "short" }))).toBe(
      "INVALID_SESSION_ID",
    );
    expect(await runtime.kernel.list()).toEqual([]);
    await using session = await client.decision.start(party);
    await session.propose("p", "x");
    const vote = session.vote as (id: string, word: string) => Promise<unknown>;
    expect(await codeOf(vote("p", "perhaps"))).toBe("INVALID_ENVELOPE");
    expect(await codeOf(session.evaluate("p", "approve", { confidence: NaN }))).toBe(
      "INVALID_ENVELOPE",
    );
    expect(
      await codeOf(
        session.commit({
          action: "x.rejected",
          authorityScope: "s",
          reason: "r",
          outcomePositive: true,
        }),
      ),
    ).toBe("INVALID_ENVELOPE");
  });

  test("nobody is made to speak for another", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    const impostor = bearer("eve", { expectedSender: "bob" });
    expect(await codeOf(session.propose("p", "x", { as: impostor }))).toBe("UNAUTHENTICATED");
  });

  test("a credential that does not say whose it is works: the runtime knows", async () => {
    const { as } = openWorld();
    await using session = await as(bearer("ann")).decision.start(party);
    await session.propose("p", "x");
    expect(session.projection.state.proposals.get("p")?.sender).toBe("ann");
  });
});

describe("joining", () => {
  test("gives the whole history, then what comes", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    await session.propose("p", "x");
    await session.vote("p", "approve", { as: bob });
    await using theirs = await as(cid).decision.join(session.id);
    expect(theirs.projection.transcript).toHaveLength(3);
    expect(theirs.projection.state).toEqual(session.projection.state);
    await session.vote("p", "reject");
    const votes = await theirs.until(({ state }) => state.votes.get("p")?.get("ann")?.vote);
    expect(votes).toBe("REJECT");
  });

  test("a session that is over tells its history too", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    await session.propose("p", "x");
    await session.commit({ action: "x.selected", authorityScope: "s", reason: "r" });
    await using theirs = await as(bob).decision.join(session.id);
    expect(theirs.projection.isPositiveOutcome).toBe(true);
    expect(theirs.ending).toBe("resolved");
  });

  test("is refused to strangers, for unknown sessions and for another mode's", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    expect(await codeOf(as(eve).decision.join(session.id))).toBe("FORBIDDEN");
    expect(await codeOf(client.decision.join("nowhere"))).toBe("not_found");
    expect(await codeOf(client.quorum.join(session.id))).toBe("INVALID_ENVELOPE");
  });
});

describe("listening", () => {
  test("goes through the history and on until the session is resolved", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    const heard: string[] = [];
    const listening = (async () => {
      for await (const { messageType } of session.messages()) heard.push(messageType);
    })();
    await session.propose("p", "x");
    await session.commit({ action: "x.selected", authorityScope: "s", reason: "r" });
    await listening;
    expect(heard).toEqual(["SessionStart", "Proposal", "Commitment"]);
    const rest: string[] = [];
    for await (const { messageType } of session.messages({ after: 2 })) rest.push(messageType);
    expect(rest).toEqual(["Commitment"]);
  });

  test("ends with a cancelled session, everything before it told", async () => {
    const { client, as } = openWorld();
    await using session = await client.decision.start(party);
    await using theirs = await as(bob).decision.join(session.id);
    const heard: string[] = [];
    const listening = (async () => {
      for await (const { messageType } of theirs.messages()) heard.push(messageType);
    })();
    await session.propose("p", "x");
    expect((await session.cancel("changed our minds")).state).toBe("CANCELLED");
    await listening;
    expect([heard, theirs.ending]).toEqual([["SessionStart", "Proposal"], "cancelled"]);
    expect(await codeOf(theirs.until(() => false))).toBe("conflict");
  });

  test("ends with an expired session", async () => {
    let later = 0;
    const { client, runtime } = openWorld({ now: () => Date.now() + later, sweepEveryMs: 0 });
    await using session = await client.decision.start({ ...party, ttlMs: 1000 });
    const ended = (async () => {
      for await (const _ of session.messages({ after: 1 })) throw new Error("heard something");
      return session.ending;
    })();
    later = 10_000;
    runtime.kernel.sweep();
    expect(await ended).toBe("expired");
  });

  test("ends when the session or its client is closed", async () => {
    const { client } = openWorld();
    const session = await client.decision.start(party);
    const heard = (async () => {
      for await (const _ of session.messages({ after: 1 })) return "something";
      return session.ending ?? "nothing";
    })();
    await session.close();
    expect(await heard).toBe("nothing");
    const other = await client.decision.start(party);
    const waiting = codeOf(other.until(() => false));
    await client.close();
    expect(await waiting).toBe("conflict");
  });

  test("is over at once where the session was closed before", async () => {
    const { client } = openWorld();
    const session = await client.decision.start(party);
    await session.close();
    const heard: string[] = [];
    for await (const { messageType } of session.messages()) heard.push(messageType);
    expect(heard).toEqual(["SessionStart"]);
    await client.close();
    expect(await codeOf(session.until(() => false))).toBe("conflict");
  });

  test("stops with the signal's reason", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    const stopping = new AbortController();
    const waiting = session.until(() => false, { signal: stopping.signal });
    stopping.abort(new Error("enough"));
    await expect(waiting).rejects.toThrow("enough");
  });
});

describe("control", () => {
  test("suspend stops the talk, resume lets it go on", async () => {
    const { client } = openWorld();
    await using session = await client.decision.start(party);
    expect((await session.suspend("lunch")).state).toBe("SUSPENDED");
    expect(await codeOf(session.propose("p", "x"))).toBe("SESSION_NOT_OPEN");
    expect((await session.metadata()).state).toBe("SUSPENDED");
    expect((await session.resume()).state).toBe("OPEN");
    await session.propose("p", "x");
    expect(await codeOf(session.cancel("mine", { as: bob }))).toBe("FORBIDDEN");
  });

  test("a commitment carries the session's own versions", async () => {
    const { client } = openWorld();
    await client.registerPolicy({ policyId: "house", mode: "*", rules: {} });
    await using session = await client.decision.start({
      ...party,
      policy: "house",
      versions: { configuration: "config.second" },
    });
    await session.propose("p", "x");
    await session.commit({ action: "x.selected", authorityScope: "s", reason: "r" });
    expect(session.projection.commitment).toMatchObject({
      policyVersion: "house",
      configurationVersion: "config.second",
      modeVersion: "1.0.0",
      outcomePositive: true,
    });
  });
});
