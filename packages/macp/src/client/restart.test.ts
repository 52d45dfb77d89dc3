import { expect, onTestFinished, test } from "vitest";
import { createMacpClient } from "../grpc.ts";
import { devAgent } from "../protocol/auth.ts";
import { proposal, start } from "../runtime/testdata/messages.test-kit.ts";
import { directory, running } from "../runtime/testdata/program.test-kit.ts";

test("a client outlives its runtime: killed, and started again on what it had written", async () => {
  const durable = { MACP_MEMORY_ONLY: "0", MACP_DATA_DIR: directory() };
  const first = await running(durable);
  const cut: string[] = [];
  const client = createMacpClient({
    target: first.target,
    allowInsecure: true,
    auth: devAgent("alice"),
    timeoutMs: 20_000,
    retry: { retries: 1000, baseMs: 20, maxMs: 20 },
    log: ({ fields }) => cut.push(String(fields["name"])),
    channel: {
      options: { "grpc.initial_reconnect_backoff_ms": 50, "grpc.max_reconnect_backoff_ms": 50 },
    },
  });
  onTestFinished(() => client.close());

  const { sessionId } = await client.send(start("decision"));
  const sessions = client.watchSessions();
  expect((await sessions.next()).value).toMatchObject({ type: "CREATED", session: { sessionId } });
  const signals = client.watchSignals();
  const gap = signals.next();
  const next = sessions.next();

  await first.stop("SIGKILL");
  // Sent while nobody listens.
  const sent = client.send(proposal(sessionId));
  await running({ ...durable, MACP_BIND_ADDR: first.target });
  expect(await sent).toMatchObject({ sessionId, duplicate: false, state: "OPEN" });
  expect((await gap).value).toEqual({ type: "gap" });
  const later = await client.send(start("decision"));
  expect((await next).value).toMatchObject({
    type: "CREATED",
    session: { sessionId: later.sessionId },
  });
  expect(new Set(cut)).toEqual(new Set(["watchSessions", "watchSignals", "send"]));
});
