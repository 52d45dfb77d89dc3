import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { createMacpClient } from "../client/client.ts";
import { createMacpClient as createOverGrpc } from "../grpc.ts";
import { openWorld } from "../sessions/worlds.test-kit.ts";
import { authOf, type Bootstrap, parseBootstrap, readBootstrap, runtimeOf } from "./bootstrap.ts";
import { type Connection, openBootstrap } from "./open-bootstrap.ts";

const sessionId = "7f0d9a52-6b1e-4c1c-9a57-0c0f6a1f2b3c";
const minimal = {
  participant_id: "bob",
  session_id: sessionId,
  mode: "macp.mode.decision.v1",
  runtime_url: "http://127.0.0.1:50051",
  agent_id: "bob",
  allow_insecure: true,
};
const initiator = {
  ...minimal,
  participant_id: "ann",
  agent_id: "ann",
  participants: ["ann", "bob"],
  configuration_version: "config.second",
  initiator: {
    session_start: {
      intent: "pick one",
      ttl_ms: 60_000,
      context_id: "c1",
      extensions: { note: "aGk=" },
    },
    kickoff: {
      message_type: "Proposal",
      payload: { proposal_id: "p", option: "this way", supporting_data: "AQI=" },
    },
  },
};

describe("a bootstrap document", () => {
  test("is checked, and a problem never quotes a token", () => {
    const bad = { ...minimal, mode: 7, auth_token: "", cancel_callback: { port: 70_000 } };
    const problem = { code: "config_invalid" };
    expect(() => parseBootstrap(bad)).toThrow(expect.objectContaining(problem));
    expect(() => parseBootstrap({ ...minimal, auth: { bearer_token: ["hush"] } })).toThrow(
      /^bootstrap: auth\.bearer_token: \w+$/,
    );
    expect(() => parseBootstrap(null)).toThrow(expect.objectContaining(problem));
  });

  test.each([
    [
      { runtime_url: "http://h:1", allow_insecure: true },
      { target: "h:1", allowInsecure: true },
    ],
    [
      { runtime_url: "https://h:1/x", allow_insecure: true },
      { target: "h:1", allowInsecure: false },
    ],
    [{ runtime_address: "h:1" }, { target: "h:1", allowInsecure: false }],
    [
      { runtime_address: "h:1", allow_insecure: true },
      { target: "h:1", allowInsecure: true },
    ],
    [
      { runtime_address: "h:1", secure: true, allow_insecure: true },
      { target: "h:1", allowInsecure: false },
    ],
  ])("%j leads to %j", (fields, expected) => {
    const { participant_id, session_id, mode } = minimal;
    expect(runtimeOf(parseBootstrap({ participant_id, session_id, mode, ...fields }))).toEqual(
      expected,
    );
  });

  test.each([{ runtime_url: "http://h:1" }, { runtime_address: "h:1", secure: false }, {}])(
    "%j is refused: plaintext has to be asked for",
    (fields) => {
      const { participant_id, session_id, mode } = minimal;
      const bootstrap = parseBootstrap({ participant_id, session_id, mode, ...fields });
      expect(() => runtimeOf(bootstrap)).toThrow(
        expect.objectContaining({ code: "config_invalid" }),
      );
    },
  );

  test("says who it is: a token with the sender it must be, or a name for development", () => {
    expect(authOf(parseBootstrap({ ...minimal, auth_token: "t" }))).toMatchObject({
      token: "t",
      expectedSender: "bob",
    });
    expect(authOf(parseBootstrap({ ...minimal, auth: { bearer_token: "u" } })).token).toBe("u");
    expect(authOf(parseBootstrap(minimal)).token).toBe("bob");
    const { agent_id: _, ...nobody } = minimal;
    expect(() => authOf(parseBootstrap(nobody))).toThrow(
      expect.objectContaining({ code: "config_invalid" }),
    );
  });

  test("is read from the file that MACP_BOOTSTRAP_FILE names", async () => {
    const folder = await mkdtemp(join(tmpdir(), "macp-bootstrap-"));
    onTestFinished(async () => {
      vi.unstubAllEnvs();
      await rm(folder, { recursive: true });
    });
    const path = join(folder, "bootstrap.json");
    await writeFile(path, JSON.stringify(minimal));
    vi.stubEnv("MACP_BOOTSTRAP_FILE", path);
    expect((await readBootstrap()).participant_id).toBe("bob");
    await writeFile(path, '{"auth_token": "hush"');
    await expect(readBootstrap()).rejects.toThrow(/is no JSON$/);
    await expect(readBootstrap(join(folder, "none"))).rejects.toMatchObject({
      code: "config_invalid",
    });
    vi.stubEnv("MACP_BOOTSTRAP_FILE", undefined);
    await expect(readBootstrap()).rejects.toMatchObject({ code: "config_invalid" });
  });
});

describe("opening one", () => {
  function world() {
    const { runtime } = openWorld();
    return { runtime, connect: ({ auth }: Connection) => createMacpClient({ runtime, auth }) };
  }
  const opened = async (document: object, connect: Parameters<typeof openBootstrap>[1]) => {
    const bootstrap: Bootstrap = parseBootstrap(document);
    const agent = await openBootstrap(bootstrap, connect);
    onTestFinished(async () => agent.close());
    if (agent.session.key !== "decision") throw new Error("another mode's session");
    return { ...agent, session: agent.session };
  };

  test("a participant waits for its session; the initiator starts it and sends the first message", async () => {
    const { connect } = world();
    const waiting = opened(minimal, connect);
    const ann = await opened(initiator, connect);
    const bob = await waiting;
    await bob.session.until(({ state }) => state.proposals.has("p"));
    expect([ann.me, bob.me]).toEqual(["ann", "bob"]);
    const { start, state } = bob.session.projection;
    expect(start).toMatchObject({
      intent: "pick one",
      contextId: "c1",
      configurationVersion: "config.second",
      extensions: { note: new TextEncoder().encode("hi") },
    });
    expect(state.proposals.get("p")?.supportingData).toEqual(new Uint8Array([1, 2]));
  });

  test("an initiator that comes back joins its session and repeats nothing", async () => {
    const { connect } = world();
    const first = await opened(initiator, connect);
    await first.close();
    const second = await opened(initiator, connect);
    expect(second.session.projection.transcript.map((m) => m.messageType)).toEqual([
      "SessionStart",
      "Proposal",
    ]);
    expect(second.session.id).toBe(sessionId);
  });

  test("stops waiting with the signal; an unknown mode is refused", async () => {
    const { connect } = world();
    const signal = AbortSignal.abort(new Error("enough"));
    await expect(openBootstrap(parseBootstrap(minimal), connect, { signal })).rejects.toThrow(
      "enough",
    );
    const other = parseBootstrap({ ...minimal, mode: "ext.other" });
    await expect(openBootstrap(other, connect)).rejects.toMatchObject({ code: "config_invalid" });
  });

  test("goes over gRPC with the client of that entry point", async () => {
    const { runtime } = openWorld();
    const { target } = await runtime.listen({ allowInsecure: true });
    const ann = await opened({ ...initiator, runtime_url: `http://${target}` }, createOverGrpc);
    await ann.session.vote("p", "approve");
    expect((await runtime.kernel.get(sessionId))?.mode).toBe("macp.mode.decision.v1");
  });
});
