import { AgentKeysError } from "@agentkeys/contract";
import { describe, expect, onTestFinished, test } from "vitest";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import { bearer, devAgent } from "../protocol/auth.ts";
import { commitmentHash } from "../protocol/commitment-hash.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { newMessageId, newSessionId } from "../protocol/ids.ts";
import { modeTable } from "../protocol/mode-table.ts";
import { decodePayload } from "../protocol/payload.ts";
import { refusalOf } from "../protocol/refusal.ts";
import { commitment, inMode, proposal, start } from "../runtime/testdata/messages.test-kit.ts";
import type { MacpClient } from "./client.ts";
import type { ClientSettings } from "./client-surface.ts";
import type { StreamEvent } from "./message-stream.ts";

const { mode } = modeTable.decision;
const alice = devAgent("alice");
const bob = devAgent("bob");

const caught = async (promise: Promise<unknown>): Promise<unknown> =>
  promise.then(
    () => expect.fail("resolved"),
    (error: unknown) => error,
  );

/** Reads on until an event is found. */
async function until<T>(events: AsyncIterable<T>, found: (event: T) => boolean): Promise<T> {
  for await (const event of events) if (found(event)) return event;
  return expect.fail("the events ended");
}

const started = (sessionId: string, payload: Parameters<typeof start>[1] = {}): Envelope =>
  start("decision", payload, { sessionId });
const proposes = (sessionId: string, messageId: string): Envelope =>
  proposal(sessionId, { messageId });

/** What a client may rely on, whatever its runtime and its way there. Callers name themselves. */
export function describeClient(connect: (settings: ClientSettings) => Promise<MacpClient>): void {
  const clientOf = async (settings: ClientSettings = {}): Promise<MacpClient> => {
    const client = await connect({ auth: alice, ...settings });
    onTestFinished(() => client.close());
    return client;
  };
  describe("sessions", () => describeSessions(clientOf));
  describe("refusals", () => describeRefusals(clientOf));
  describe("registries", () => describeRegistries(clientOf));
  describe("streams", () => describeStreams(clientOf));
}

type ClientOf = (settings?: ClientSettings) => Promise<MacpClient>;

function describeSessions(clientOf: ClientOf): void {
  test("initialize, manifest, modes and roots", async () => {
    const client = await clientOf({ clientInfo: { name: "suite", version: "1" } });
    const { protocolVersion, modes, runtime, capabilities } = await client.initialize();
    expect([protocolVersion, runtime?.name, capabilities?.sessions?.stream]).toEqual([
      "1.0",
      "macp-runtime",
      true,
    ]);
    for (const row of Object.values(modeTable)) expect(modes).toContain(row.mode);
    expect((await client.getManifest()).supportedModes).toContain(mode);
    expect(AgentKeysError.is(await caught(client.getManifest("nobody")), "not_found")).toBe(true);
    const standard = (await client.listModes()).map((descriptor) => descriptor.mode);
    expect(standard.toSorted()).toEqual(
      Object.values(modeTable)
        .filter((row) => row.standard)
        .map((row) => row.mode)
        .toSorted(),
    );
    expect((await client.listExtModes()).map((descriptor) => descriptor.mode)).toContain(
      "ext.multi_round.v1",
    );
    expect(Array.isArray(await client.listRoots())).toBe(true);
  });

  test("a session from its start to its commitment", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    const before = Date.now();
    expect(await client.send(started(sessionId))).toMatchObject({
      duplicate: false,
      sessionId,
      state: "OPEN",
    });
    const message = proposes(sessionId, "p1");
    const first = await client.send(message);
    expect(first).toMatchObject({ duplicate: false, messageId: message.messageId, state: "OPEN" });
    expect(first.acceptedAtMs).toBeGreaterThan(before - 60_000);
    expect(await client.send(message)).toMatchObject({ duplicate: true });
    const info = await client.getSession(sessionId);
    expect(info).toMatchObject({
      sessionId,
      mode,
      state: "OPEN",
      initiator: "alice",
      participants: ["alice", "bob"],
    });
    expect(info.versions).toEqual({
      mode: "1.0.0",
      configuration: "config.default",
      policy: "policy.default",
    });
    expect(info.expiresAtMs - info.startedAtMs).toBeGreaterThan(0);
    expect(await client.send(commitment("decision", sessionId))).toMatchObject({
      state: "RESOLVED",
    });
    expect(await client.getSession(sessionId)).toMatchObject({ state: "RESOLVED" });
    expect(await client.cancelSession(sessionId, "late")).toMatchObject({ state: "RESOLVED" });
  });

  test("suspend, resume and cancel, by the initiator only", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    await client.send(started(sessionId));
    const stranger = await caught(client.suspendSession(sessionId, "no", { auth: bob }));
    expect(AgentKeysError.is(stranger, "forbidden")).toBe(true);
    expect(await client.suspendSession(sessionId, "lunch")).toMatchObject({ state: "SUSPENDED" });
    expect(refusalOf(await caught(client.send(proposes(sessionId, "p1"))))?.code).toBe(
      "SESSION_NOT_OPEN",
    );
    expect(refusalOf(await caught(client.suspendSession(sessionId, "again")))?.code).toBe(
      "SESSION_NOT_OPEN",
    );
    expect(await client.resumeSession(sessionId, "back")).toMatchObject({ state: "OPEN" });
    expect(await client.cancelSession(sessionId, "enough")).toMatchObject({ state: "CANCELLED" });
    expect(refusalOf(await caught(client.send(proposes(sessionId, "p1"))))?.code).toBe(
      "SESSION_NOT_OPEN",
    );
    expect(
      AgentKeysError.is(await caught(client.suspendSession(newSessionId(), "x")), "not_found"),
    ).toBe(true);
  });

  test("all sessions are listed, whatever the page's size", async () => {
    const client = await clientOf();
    const ids = [newSessionId(), newSessionId(), newSessionId()];
    for (const id of ids) await client.send(started(id));
    for (const pageSize of [0, 1, 2]) {
      const listed: string[] = [];
      for await (const { sessionId } of client.listSessions({ pageSize })) listed.push(sessionId);
      expect(new Set(listed).size).toBe(listed.length);
      expect(listed).toEqual(expect.arrayContaining(ids));
    }
  });
}

function describeRefusals(clientOf: ClientOf): void {
  test.each<[string, Parameters<typeof start>[1], string]>([
    ["no time", { ttlMs: 0n }, "INVALID_ENVELOPE"],
    ["an unknown policy", { policyVersion: "policy.nowhere" }, "UNKNOWN_POLICY_VERSION"],
  ])("a start with %s", async (_, options, code) => {
    const client = await clientOf();
    expect(refusalOf(await caught(client.send(started(newSessionId(), options))))?.code).toBe(code);
  });

  test("an id that is none, a session that is there, one that is not, a mode that nobody knows", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    await client.send(started(sessionId));
    const codes: unknown[] = [];
    for (const envelope of [
      started("short"),
      started(sessionId),
      proposes(newSessionId(), "p1"),
      toEnvelope({ ...started(newSessionId()), mode: "macp.mode.none.v1" }),
      toEnvelope({ mode, sessionId, messageType: "Vote", payload: Uint8Array.of(255) }),
    ])
      codes.push(refusalOf(await caught(client.send(envelope)))?.code);
    expect(codes).toEqual([
      "INVALID_SESSION_ID",
      "SESSION_ALREADY_EXISTS",
      "SESSION_NOT_FOUND",
      "MODE_NOT_SUPPORTED",
      "INVALID_ENVELOPE",
    ]);
  });

  test("a stranger, a spoofed sender, and nobody at all", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    await client.send(started(sessionId));
    const mallory = { auth: devAgent("mallory") };
    expect(refusalOf(await caught(client.send(proposes(sessionId, "p1"), mallory)))?.code).toBe(
      "FORBIDDEN",
    );
    const spoofed = { ...proposes(sessionId, "p1"), sender: "bob" };
    expect(AgentKeysError.is(await caught(client.send(spoofed)), "actor_mismatch")).toBe(true);
    expect(refusalOf(await caught(client.send(spoofed, { auth: bearer("alice") })))?.code).toBe(
      "UNAUTHENTICATED",
    );
    const copied = { auth: { ...alice } };
    const copy = await caught(client.send(proposes(sessionId, "p1"), copied));
    expect(AgentKeysError.is(copy, "config_invalid")).toBe(true);
    const nobody = await clientOf({ auth: undefined });
    expect(refusalOf(await caught(nobody.send(proposes(sessionId, "p1"))))?.code).toBe(
      "UNAUTHENTICATED",
    );
    expect(AgentKeysError.is(await caught(nobody.getSession(sessionId)), "unauthorized")).toBe(
      true,
    );
  });

  test("a policy's denial comes with its reasons, and a refused message may be sent again", async () => {
    const client = await clientOf();
    const policyId = `policy.${newSessionId()}`;
    const rules = {
      voting: { algorithm: "majority", quorum: { type: "count", value: 2 } },
      commitment: { require_vote_quorum: true },
    };
    await client.registerPolicy({ policyId, mode, rules });
    const sessionId = newSessionId();
    await client.send(started(sessionId, { policyVersion: policyId }));
    await client.send(proposes(sessionId, "p1"));
    const commit = commitment("decision", sessionId);
    const refusal = refusalOf(await caught(client.send(commit)));
    expect([refusal?.code, refusal?.messageId]).toEqual(["POLICY_DENIED", commit.messageId]);
    expect(refusal?.reasons.length).toBeGreaterThan(0);
    for (const auth of [alice, bob]) {
      const payload = { proposalId: "p1", vote: "APPROVE" };
      await client.send(inMode(["decision", "Vote"], sessionId, { payload }), { auth });
    }
    expect(await client.send(commit)).toMatchObject({ duplicate: false, state: "RESOLVED" });
  });
}

function describeRegistries(clientOf: ClientOf): void {
  test("a policy is registered once, read, listed and unregistered", async () => {
    const client = await clientOf();
    const policyId = `policy.${newSessionId()}`;
    await client.registerPolicy({
      policyId,
      mode,
      rules: { voting: { algorithm: "majority" } },
      description: "most",
    });
    const twice = await caught(client.registerPolicy({ policyId, mode, rules: {} }));
    expect((twice as Error).message).toContain("already registered");
    const policy = await client.getPolicy(policyId);
    expect(policy).toMatchObject({ policyId, mode, description: "most", schemaVersion: 2 });
    expect(JSON.parse(policy.rules)).toMatchObject({ voting: { algorithm: "majority" } });
    expect((await client.listPolicies(mode)).map((listed) => listed.policyId)).toEqual(
      expect.arrayContaining([policyId, "policy.default"]),
    );
    await client.unregisterPolicy(policyId);
    expect(AgentKeysError.is(await caught(client.getPolicy(policyId)), "not_found")).toBe(true);
    expect(AgentKeysError.is(await caught(client.unregisterPolicy("policy.default")))).toBe(true);
  });

  test("an extension mode is registered, used and unregistered", async () => {
    const client = await clientOf();
    const name = `ext.${newSessionId()}.v1`;
    const descriptor = {
      mode: name,
      modeVersion: "1.0.0",
      messageTypes: ["Note", "Commitment"],
      terminalMessageTypes: ["Commitment"],
    };
    await client.registerExtMode(descriptor);
    expect((await client.listExtModes()).map((listed) => listed.mode)).toContain(name);
    const reserved = await caught(
      client.registerExtMode({ ...descriptor, mode: "macp.mode.mine.v1" }),
    );
    expect((reserved as Error).message).toContain("reserved");
    const sessionId = newSessionId();
    const extended = toEnvelope({ ...started(sessionId), mode: name });
    expect(await client.send(extended)).toMatchObject({ state: "OPEN" });
    await client.unregisterExtMode(name);
    expect((await client.listExtModes()).map((listed) => listed.mode)).not.toContain(name);
  });
}

function describeStreams(clientOf: ClientOf): void {
  test("what happens to sessions", async () => {
    const client = await clientOf();
    const [there, later] = [newSessionId(), newSessionId()];
    await client.send(started(there));
    const events = client.watchSessions();
    const created = await until(iterable(events), ({ session }) => session.sessionId === there);
    expect([created.type, created.session.state]).toEqual(["CREATED", "OPEN"]);
    await client.send(started(later));
    await client.send(proposes(later, "p1"));
    await client.send(commitment("decision", later));
    await client.suspendSession(there, "lunch");
    const seen: string[] = [];
    await until(iterable(events), ({ type, session: { sessionId } }) => {
      if (sessionId === later || sessionId === there)
        seen.push(`${type} ${sessionId === later ? "later" : "there"}`);
      return type === "SUSPENDED" && sessionId === there;
    });
    expect(seen).toEqual(["CREATED later", "RESOLVED later", "SUSPENDED there"]);
    await events.return();
  });

  test("signals, progress, modes, roots and policies", async () => {
    const client = await clientOf();
    const signals = client.watchSignals();
    const name = newMessageId();
    const signal = { type: name, data: Uint8Array.of(1), confidence: 0.5 };
    const heard = until(
      iterable(signals),
      (event) => event.type === "signal" && event.signalType === name,
    );
    // Nothing tells when the runtime has begun to listen for us.
    await repeated(heard, () => client.sendSignal(signal, { auth: bob }));
    expect(await heard).toMatchObject({ sender: "bob", confidence: 0.5, data: Uint8Array.of(1) });
    await client.sendProgress({ token: name, progress: 1, total: 2 });
    const progress = await until(
      iterable(signals),
      (event) => event.type === "progress" && event.progressToken === name,
    );
    expect(progress).toMatchObject({ sender: "alice", progress: 1, total: 2 });
    await signals.return();

    const roots = client.watchRoots();
    expect((await roots.next()).value?.observedAtMs).toBeGreaterThan(0);
    await roots.return();

    const modes = client.watchModes();
    await modes.next();
    const extension = `ext.${newSessionId()}.v1`;
    await client.registerExtMode({
      mode: extension,
      modeVersion: "1",
      messageTypes: ["Commitment"],
      terminalMessageTypes: ["Commitment"],
    });
    expect((await modes.next()).value?.observedAtMs).toBeGreaterThan(0);
    await modes.return();
    await client.unregisterExtMode(extension);

    const policies = client.watchPolicies();
    expect((await policies.next()).value).toEqual(
      expect.arrayContaining([expect.objectContaining({ policyId: "policy.default" })]),
    );
    const policyId = `policy.${newSessionId()}`;
    await client.registerPolicy({ policyId, mode, rules: {} });
    await until(iterable(policies), (list) => list.some((policy) => policy.policyId === policyId));
    await policies.return();
  });

  test("a session's stream: history, then what comes, then refusals in between", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    await client.send(started(sessionId));
    await client.send(proposes(sessionId, "p1"));
    await using stream = client.openStream({ auth: bob });
    const events = stream[Symbol.asyncIterator]();
    const next = async (): Promise<StreamEvent> => (await events.next()).value;
    await stream.subscribe(sessionId, 1);
    expect(proposed(await next())).toEqual(["p1", "alice"]);
    await client.send(proposes(sessionId, "p2"));
    expect(proposed(await next())).toEqual(["p2", "alice"]);
    // The same proposal in another message.
    await stream.send({ ...proposes(sessionId, "p2"), messageId: newMessageId() });
    const refused = await next();
    expect(refusalOf(refused.type === "refused" && refused.error)?.code).toBe("INVALID_ENVELOPE");
    await stream.send(proposes(sessionId, "p3"));
    expect(proposed(await next())).toEqual(["p3", "bob"]);
    const spoofed = { ...proposes(sessionId, "p4"), sender: "alice" };
    expect(AgentKeysError.is(await caught(stream.send(spoofed)), "actor_mismatch")).toBe(true);
    stream.end();
    expect((await events.next()).done).toBe(true);
  });

  test("subscribing to a session that is not there fails; as a stranger it is refused", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    await client.send(started(sessionId));
    await using stranger = client.openStream({ auth: devAgent("mallory") });
    await stranger.subscribe(sessionId);
    const refused = await until(stranger, ({ type }) => type === "refused");
    expect(refusalOf(refused.type === "refused" && refused.error)?.code).toBe("FORBIDDEN");
    const unknown = client.openStream();
    await unknown.subscribe(newSessionId());
    const error = await caught(until(unknown, () => true));
    expect(AgentKeysError.is(error, "not_found")).toBe(true);
  });

  test("a commitment that arrives hashes to what its sender computed", async () => {
    const client = await clientOf();
    const sessionId = newSessionId();
    await client.send(started(sessionId));
    await client.send(proposes(sessionId, "p1"));
    const envelope = commitment("decision", sessionId, { authorityScope: "café", reason: "r\n" });
    const sent = commitmentHash(decodePayload("decision", "Commitment", envelope.payload));
    // Some runtimes let go of a session's history when it ends, so somebody has to be listening.
    await using stream = client.openStream();
    await stream.subscribe(sessionId);
    const arrived = until(
      stream,
      (event) => event.type === "message" && event.envelope.messageType === "Commitment",
    );
    await client.send(envelope);
    const event = await arrived;
    const received = event.type === "message" ? event.envelope.payload : new Uint8Array();
    expect(commitmentHash(decodePayload("decision", "Commitment", received))).toBe(sent);
  });
}

/** Id of the proposal that a stream brought, and who made it. */
function proposed(event: StreamEvent): readonly string[] {
  if (event.type === "refused") throw event.error;
  const { payload, sender } = event.envelope;
  return [decodePayload("decision", "Proposal", payload).proposalId, sender];
}

/** The same events, not ended when a loop over them is left. */
function iterable<T>(events: AsyncIterator<T>): AsyncIterable<T> {
  return { [Symbol.asyncIterator]: () => ({ next: () => events.next() }) };
}

/** Does something again and again until a promise is settled. */
async function repeated(promise: Promise<unknown>, act: () => Promise<unknown>): Promise<void> {
  const settled = promise.then(
    () => true,
    () => true,
  );
  const moment = async () => new Promise<boolean>((resolve) => setTimeout(resolve, 5, false));
  do await act();
  while (!(await Promise.race([settled, moment()])));
}
