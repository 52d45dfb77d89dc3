// Handoff: an on-call shift changes hands, context and all. The runtime keeps sessions in a file: it is closed and opened
// again in the middle, and what was said is still there afterwards, after the session's end too.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createMacpClient, devAgent } from "@agentkeys/macp";
import { createRuntime, openSqliteStore } from "@agentkeys/macp/runtime";

const directory = await mkdtemp(join(tmpdir(), "macp-handoff-"));
const openRuntime = () => createRuntime({ store: openSqliteStore({ directory }) });
let sessionId: string;

{
  await using runtime = openRuntime();
  await using client = createMacpClient({ runtime, auth: devAgent("dana") });
  await using session = await client.handoff.start({
    intent: "night shift",
    participants: ["dana", "eli", "fay"],
    ttlMs: 60_000,
  });
  sessionId = session.id;
  await session.offer("to-eli", "eli", { scope: "on call", reason: "my shift ends" });
  await session.decline("to-eli", { reason: "on holiday", as: devAgent("eli") });
  await session.offer("to-fay", "fay", { scope: "on call", reason: "my shift ends" });
  await session.addContext("to-fay", "the queue is slow since 21:00; see runbook 7");
  assert.deepEqual(
    session.projection.pendingHandoffs().map(({ handoffId }) => handoffId),
    ["to-fay"],
  );
}

{
  await using runtime = openRuntime();
  await using fay = createMacpClient({ runtime, auth: devAgent("fay") });
  await using dana = createMacpClient({ runtime, auth: devAgent("dana") });
  await using session = await fay.handoff.join(sessionId);
  const offer = session.projection.activeOffer();
  assert.ok(offer);
  const [note] = offer.context.map(({ context }) => new TextDecoder().decode(context));
  assert.match(note ?? "", /runbook 7/);
  await session.acceptHandoff(offer.handoffId, { reason: "got it" });
  assert.ok(session.projection.hasAcceptedOffer());

  await using theirs = await dana.handoff.join(sessionId);
  await theirs.commit({
    action: "shift.accepted",
    authorityScope: "on call",
    reason: "fay has it",
  });
}

await using runtime = openRuntime();
await using client = createMacpClient({ runtime, auth: devAgent("eli") });
await using session = await client.handoff.join(sessionId);
const { projection } = session;
assert.deepEqual([projection.isDeclined("to-eli"), projection.isAccepted("to-fay")], [true, true]);
assert.equal(projection.isImplicitlyAccepted("to-fay"), false);
assert.equal(projection.transcript.length, 7);
assert.equal(projection.isPositiveOutcome, true);
console.log(`${projection.getHandoff("to-fay")?.targetParticipant} is on call`);
await rm(directory, { recursive: true });
