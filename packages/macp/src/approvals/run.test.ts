import { expect, test, vi } from "vitest";
import type { LogEntry } from "../client/log.ts";
import { createApprovalBridge } from "./bridge.ts";
import { openScene, type Scene } from "./joint.test-kit.ts";

/** The bridge at work until the test stops it. */
function working(scene: Scene) {
  const log: LogEntry[] = [];
  const polls = new Map<string, string>();
  const bridge = createApprovalBridge({
    client: scene.connect("bridge"),
    operator: scene.operator,
    onPoll: ({ approval, sessionId }) => void polls.set(approval.id, sessionId),
    log: (entry) => void log.push(entry),
  });
  const stop = new AbortController();
  const done = bridge.run({ signal: stop.signal });
  const sessionOf = (id: string) => vi.waitUntil(() => polls.get(id), { timeout: 5000 });
  return { done, log, polls, sessionOf, stop: () => stop.abort() };
}

test("what waits and what is asked later is voted on; what no quorum is named for is left alone", async () => {
  const scene = await openScene();
  const early = await scene.ask("staging");
  await scene.client.approval.request({ scope: "deploy.run", params: {} });
  const work = working(scene);
  await work.sessionOf(early.id);
  const late = await scene.ask("production");
  const session = await work.sessionOf(late.id);
  for (const name of ["ann", "bob"]) await scene.vote(name, session);
  await vi.waitFor(async () => expect(await scene.status(late)).toBe("approved"));
  expect(await scene.call("production", "production")).toBe("ran");
  work.stop();
  await work.done;
  expect([...work.polls.keys()]).toEqual([early.id, late.id]);
  expect(await scene.operator.approvals.list()).toHaveLength(3);
  expect([work.log, await scene.status(early)]).toEqual([[], "pending"]);
});

test("an approval that is withdrawn, or denied by the operator, ends its session", async () => {
  const scene = await openScene();
  const [a, b] = [await scene.ask("staging"), await scene.ask("production")];
  const work = working(scene);
  const sessions = [await work.sessionOf(a.id), await work.sessionOf(b.id)];
  await scene.vote("ann", sessions[0] ?? "");
  await scene.client.approvals.withdraw(a.id);
  await scene.operator.approvals.deny(b, { reason: "not on a Friday" });
  await vi.waitFor(async () => {
    for (const id of sessions) {
      expect((await scene.connect("bridge").getSession(id)).state).toBe("CANCELLED");
    }
  });
  work.stop();
  await work.done;
  expect([work.log, scene.ran]).toEqual([[], []]);
});

test("a vote that fails is told, and the others go on", async () => {
  const scene = await openScene();
  const [a, b] = [await scene.ask("staging"), await scene.ask("production")];
  const work = working(scene);
  const [lost, held] = [await work.sessionOf(a.id), await work.sessionOf(b.id)];
  await scene.connect("bridge").cancelSession(lost, "never mind");
  await vi.waitFor(() =>
    expect(work.log).toMatchObject([
      { level: "warn", fields: { approval: a.id, code: "conflict" } },
    ]),
  );
  for (const name of ["bob", "cid"]) await scene.vote(name, held);
  await vi.waitFor(async () => expect(await scene.status(b)).toBe("approved"));
  expect(await scene.status(a)).toBe("pending");
  work.stop();
  await work.done;
});

test("it ends with the operator's feed, as that does", async () => {
  const scene = await openScene();
  const broken = {
    approvals: {
      ...scene.operator.approvals,
      watch: () => ({
        [Symbol.asyncIterator]: () => ({ next: () => Promise.reject(new Error("no feed")) }),
      }),
    },
  };
  const bridge = createApprovalBridge({ client: scene.connect("bridge"), operator: broken });
  await expect(bridge.run()).rejects.toThrow("no feed");
});
