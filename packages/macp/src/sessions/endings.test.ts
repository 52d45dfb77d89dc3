import { expect, test, vi } from "vitest";
import { createMacpClient } from "../client/client.ts";
import type { Transport } from "../client/transport.ts";
import { SessionState } from "../generated/macp/v1/envelope_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { ann, openWorld, party } from "./worlds.test-kit.ts";

type Watch = Transport["calls"]["watchSessions"];

/** A client whose lifecycle watches go through `watchSessions`; `open` counts those that are. */
function watched(through: (watch: Watch) => Watch = (watch) => watch) {
  const { runtime } = openWorld();
  const { calls, close } = runtime.connect();
  const counts = { open: 0, opened: 0, told: [] as (string | undefined)[] };
  const counted: Watch = async function* (request, options) {
    counts.opened += 1;
    counts.open += 1;
    options.signal?.addEventListener("abort", () => (counts.open -= 1), { once: true });
    for await (const response of calls.watchSessions(request, options)) {
      yield response;
      const { session } = response.event ?? {};
      if (session?.state === SessionState.CANCELLED) counts.told.push(session.sessionId);
    }
  };
  const transport = { calls: { ...calls, watchSessions: through(counted) }, close };
  return { client: createMacpClient({ transport, auth: ann }), counts };
}

const heard = async (messages: AsyncIterable<unknown>) => {
  let count = 0;
  for await (const _ of messages) count += 1;
  return count;
};

test("all sessions of a client listen by one watch, which is open while one does", async () => {
  const { client, counts } = watched();
  await using _ = client;
  const sessions = await Promise.all([1, 2, 3].map(async () => client.decision.start(party)));
  expect(counts.opened).toBe(0);
  const listening = sessions.map(async (session) => heard(session.messages()));
  const open: number[] = [];
  for (const [index, session] of sessions.entries()) {
    await session.cancel();
    expect(await listening[index]).toBe(1);
    open.push(counts.open);
  }
  expect([open, counts.opened]).toEqual([[1, 1, 0], 1]);
});

test("a session that ended before anybody listened is known to have", async () => {
  const { client, counts } = watched();
  await using _ = client;
  const [first, second] = [await client.decision.start(party), await client.decision.start(party)];
  const listening = heard(first.messages());
  await second.cancel();
  await vi.waitFor(() => expect(counts.told).toEqual([second.id]));
  expect(await heard(second.messages())).toBe(1);
  expect([second.ending, counts.open]).toEqual(["cancelled", 1]);
  await first.cancel();
  expect(await listening).toBe(1);
});

test("where lifecycles may not be watched the commitment still ends it, and the next session tries again", async () => {
  const status = grpcStatus.PERMISSION_DENIED;
  let denied = true;
  const { client } = watched((watch) => (request, options) => {
    if (denied) throw statusError({ status, message: "no" });
    return watch(request, options);
  });
  await using _ = client;
  const session = await client.decision.start(party);
  const listening = heard(session.messages());
  await session.propose("p", "x");
  await session.commit({ action: "x.selected", authorityScope: "s", reason: "r" });
  expect([await listening, session.ending]).toEqual([3, "resolved"]);
  denied = false;
  const next = await client.decision.start(party);
  const waiting = heard(next.messages());
  // By then it has been asked how it stands; from now on only a watch can tell.
  await next.propose("p", "x");
  await next.cancel();
  expect([await waiting, next.ending]).toEqual([2, "cancelled"]);
});
