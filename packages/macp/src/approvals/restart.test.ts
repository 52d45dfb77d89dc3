import { AgentKeysError } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import { createMacpClient } from "../grpc.ts";
import { devAgent } from "../protocol/auth.ts";
import { directory, running } from "../runtime/testdata/program.test-kit.ts";
import { openScene } from "./joint.test-kit.ts";

/** Clients that wait for a runtime that is away. */
function patient(target: string) {
  return (name: string) => {
    const client = createMacpClient({
      target,
      allowInsecure: true,
      auth: devAgent(name),
      timeoutMs: 20_000,
      retry: { retries: 1000, baseMs: 20, maxMs: 20 },
      channel: {
        options: { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 50 },
      },
    });
    onTestFinished(() => client.close());
    return client;
  };
}

test("a runtime that is killed between two votes grants nothing by itself, and counts each once afterwards", async () => {
  const durable = { MACP_MEMORY_ONLY: "0", MACP_DATA_DIR: directory() };
  const first = await running(durable);
  const scene = await openScene({ connect: patient(first.target) });
  const approval = await scene.ask("staging");
  const { poll, decided } = await scene.poll(approval);
  await scene.vote("ann", poll.sessionId);
  await first.stop("SIGKILL");
  await running({ ...durable, MACP_BIND_ADDR: first.target });

  // The first vote comes again out of the history, and once more from its sender.
  await expect(scene.vote("ann", poll.sessionId)).rejects.toThrow(AgentKeysError);
  expect([await scene.status(approval), await scene.call("staging", "staging")]).toEqual([
    "pending",
    "approval_required",
  ]);
  await scene.vote("bob", poll.sessionId);
  expect((await decided).tally.approved).toEqual(["ann", "bob"]);
  await Promise.all([1, 2, 3].map(() => scene.call("staging", "staging")));
  expect([scene.ran, (await scene.decisions()).length]).toEqual([["staging"], 1]);
});

test("a runtime that forgets its sessions takes the vote with it: nothing is decided, and it can be held anew", async () => {
  const first = await running();
  const scene = await openScene({ connect: patient(first.target) });
  const approval = await scene.ask("staging");
  const { poll, decided } = await scene.poll(approval);
  const lost = decided.then(
    () => "decided",
    (error: unknown) => error,
  );
  await scene.vote("ann", poll.sessionId);
  await first.stop("SIGKILL");
  await running({ MACP_BIND_ADDR: first.target });
  expect(await lost).toBeInstanceOf(AgentKeysError);
  expect(await scene.status(approval)).toBe("pending");

  const again = await scene.poll(approval);
  await scene.vote("bob", again.poll.sessionId);
  expect(await scene.call("staging", "staging")).toBe("approval_required");
  await scene.vote("cid", again.poll.sessionId);
  expect((await again.decided).tally.approved).toEqual(["bob", "cid"]);
});
