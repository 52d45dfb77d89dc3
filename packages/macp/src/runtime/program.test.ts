import { create } from "@bufbuild/protobuf";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { SignJWT } from "jose";
import { describe, expect, onTestFinished, test } from "vitest";
import {
  GetSessionRequestSchema,
  InitializeRequestSchema,
  ListSessionsRequestSchema,
  SendRequestSchema,
  WatchSessionsRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import {
  PolicyDescriptorSchema,
  ListPoliciesRequestSchema,
  RegisterPolicyRequestSchema,
} from "../generated/macp/v1/policy_pb.ts";
import { bearer } from "../protocol/auth.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusOf } from "../protocol/refusal.ts";
import { startProgram } from "./program.ts";
import { reportPolicies } from "./policies-directory.ts";
import { selfSigned } from "../transports/certificate.test-kit.ts";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import {
  accepted,
  as,
  collect,
  errorCode,
  proposal,
  send,
  start,
  subscribe,
} from "./testdata/messages.test-kit.ts";
import {
  directory,
  executable,
  open,
  run,
  running,
  type Ended,
} from "./testdata/program.test-kit.ts";

const hello = create(InitializeRequestSchema, { supportedProtocolVersions: ["1.0"] });

const tokens = '[{"token":"s3cret","sender":"alice"}]';
const refusals: [string, Record<string, string>, string][] = [
  ["nothing configured", {}, "no authentication configured"],
  ["auth, but neither TLS nor consent", { MACP_AUTH_TOKENS_JSON: tokens }, "TLS is required"],
  ["tokens that are none", { MACP_AUTH_TOKENS_JSON: "s3cret" }, "MACP_AUTH_TOKENS_JSON: not JSON"],
  [
    "a key set that is none",
    { MACP_AUTH_ISSUER: "issuer", MACP_AUTH_JWKS_JSON: "{}" },
    "MACP_AUTH_JWKS_JSON: not a JWKS",
  ],
  [
    "a token file that is not there",
    { MACP_AUTH_TOKENS_FILE: "/nonexistent" },
    "MACP_AUTH_TOKENS_FILE",
  ],
  ["a limit of 0", { MACP_MESSAGE_LIMIT_PER_MINUTE: "0" }, "MACP_MESSAGE_LIMIT_PER_MINUTE"],
  [
    "an unknown backend",
    { MACP_MEMORY_ONLY: "0", MACP_STORAGE_BACKEND: "redis" },
    "unknown storage backend",
  ],
  ["an address that is a name", { MACP_BIND_ADDR: "localhost:1" }, "MACP_BIND_ADDR"],
  [
    "a policies directory that is not there",
    { MACP_ALLOW_INSECURE: "1", MACP_POLICIES_DIR: "/nonexistent" },
    "MACP_POLICIES_DIR",
  ],
];

describe("starts that are refused", () => {
  const closed = { MACP_BIND_ADDR: "127.0.0.1:0", MACP_MEMORY_ONLY: "1" };

  test.each(refusals)("%s", async (_, env, text) => {
    const error: unknown = await startProgram({ ...closed, ...env }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toMatchObject({ code: "config_invalid" });
    expect(String(error)).toContain(text);
    expect(String(error)).not.toContain("s3cret");
  });

  test.each([
    ["{", "broken"],
    ['{"policy_id":"policy.default","mode":"*","schema_version":1}', "reserved"],
    ['{"policy_id":"p","mode":"*","rules":3,"schema_version":1}', "rules"],
    ['{"policy_id":"p","mode":"*","rules":{},"schema_version":0}', "schema_version"],
  ])("a policy file %s", async (text, name) => {
    const policies = directory();
    writeFileSync(join(policies, `${name}.json`), text);
    const starting = startProgram({ ...open, MACP_POLICIES_DIR: policies });
    await expect(starting).rejects.toThrow(`MACP_POLICIES_DIR: ${policies}/${name}.json`);
  });

  test("the process says why on standard error and exits 1", async () => {
    const { code, stderr } = (await run(closed)) as Ended;
    expect(code).toBe(1);
    expect(stderr).toMatch(/^Error: no authentication configured/);
  });

  test("through a link, as a package manager makes one", async () => {
    const link = join(directory(), "runtime");
    symlinkSync(executable, link);
    const { code, stderr } = (await run(closed, link)) as Ended;
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringMatching(/^Error: no auth/) as string,
    });
  });

  test("a broken policy file", async () => {
    const policies = directory();
    writeFileSync(join(policies, "bad.json"), "{not json");
    const { code, stderr } = (await run({ ...open, MACP_POLICIES_DIR: policies })) as Ended;
    expect(code).toBe(1);
    expect(stderr).toContain("MACP_POLICIES_DIR");
  });

  test("a port that is taken", async () => {
    const first = await running();
    const { code, stderr } = (await run({ ...open, MACP_BIND_ADDR: first.target })) as Ended;
    expect(code).toBe(1);
    expect(stderr).toContain("Error: ");
  });

  test("a dry run looks at every policy file and starts nothing", async () => {
    const policies = directory();
    writeFileSync(join(policies, "a.json"), "{not json");
    const good = { policy_id: "p.one", mode: "*", schema_version: 1 };
    writeFileSync(join(policies, "b.json"), JSON.stringify(good));
    const lines: string[] = [];
    expect(reportPolicies(policies, (line) => lines.push(line))).toBe(false);
    expect(lines).toHaveLength(3);
    expect(lines[0]).toMatch(/^REJECTED .*a\.json/);
    expect(lines[1]).toMatch(/^OK .*b\.json \(p\.one\)/);
    const env = { MACP_POLICIES_DRY_RUN: "1", MACP_POLICIES_DIR: policies };
    expect(((await run(env)) as Ended).code).toBe(1);
  });
});

describe("ends", () => {
  test.each(["SIGINT", "SIGTERM"] as const)(
    "%s: exit 0, at once when nothing is open",
    async (signal) => {
      const program = await running({ MACP_SHUTDOWN_DRAIN_SECS: "600" });
      await accepted(program.calls, "alice", start("decision"));
      expect(await program.stop(signal)).toEqual({ code: 0, stderr: "" });
    },
  );

  test("SIGINT as soon as the port is open: exit 0", async () => {
    const program = await running();
    expect((await program.stop("SIGINT")).code).toBe(0);
  });

  test("SIGINT while it loads is not lost, whenever it comes", async () => {
    const ends = [100, 200, 300, 400, 500, 600].map(async (ms) => {
      const env = { PATH: process.env["PATH"], ...open };
      const child = spawn(executable, { env, stdio: "ignore" });
      onTestFinished(() => void child.kill("SIGKILL"));
      const exit = once(child, "exit");
      await setTimeout(ms);
      child.kill("SIGINT");
      const [code, signal] = await exit;
      // By the signal itself where Node.js had not begun.
      return code ?? signal;
    });
    for (const end of await Promise.all(ends)) expect([0, "SIGINT"]).toContain(end);
  });

  test("an open watch has the drain time, and no more", async () => {
    const program = await running({ MACP_SHUTDOWN_DRAIN_SECS: "1" });
    const watch = program.calls.watchSessions(create(WatchSessionsRequestSchema), as("alice"));
    const over = collect(watch).catch(statusOf);
    await accepted(program.calls, "alice", start("decision"));
    expect((await program.stop("SIGINT")).code).toBe(0);
    await over;
  });

  test("the process that was started is the one that listens", async () => {
    const program = await running();
    expect((await program.stop("SIGKILL")).code).toBe(null);
    await expect(program.calls.initialize(hello, { timeoutMs: 5_000 })).rejects.toSatisfy(
      (error) => statusOf(error) === grpcStatus.UNAVAILABLE,
    );
    expect(readFileSync(executable, "utf8")).toMatch(/^#!\/bin\/sh\n/);
  });
});

describe("durability", () => {
  test("history and dedup survive SIGKILL, and the next process opens the directory at once", async () => {
    const env = { MACP_MEMORY_ONLY: "0", MACP_DATA_DIR: directory() };
    const first = await running(env);
    const begin = start("decision");
    const id = await accepted(first.calls, "alice", begin);
    const sent = proposal(id);
    await accepted(first.calls, "alice", sent);
    await first.stop();

    const second = await running(env);
    expect(await send(second.calls, "alice", sent)).toMatchObject({ ok: true, duplicate: true });
    const { metadata } = await second.calls.getSession(
      create(GetSessionRequestSchema, { sessionId: id }),
      as("bob"),
    );
    expect(metadata).toMatchObject({ sessionId: id, initiator: "alice" });
    const stream = second.calls.streamSession(as("bob"));
    await stream.send(subscribe(id));
    stream.end();
    const replayed = (await collect(stream)).map(({ response }) => response.value);
    expect(replayed).toEqual([
      { ...begin, sender: "alice" },
      { ...sent, sender: "alice" },
    ]);
  });

  test(
    "killed under load again and again: nothing that was acknowledged is lost",
    { timeout: 120_000 },
    async () => {
      const env = {
        MACP_MEMORY_ONLY: "0",
        MACP_DATA_DIR: directory(),
        MACP_MESSAGE_LIMIT_PER_MINUTE: "1000000",
        MACP_SESSION_START_LIMIT_PER_MINUTE: "1000000",
      };
      const acknowledged = new Map<string, string[]>();
      for (let round = 0; round < 5; round++) {
        const program = await running(env);
        const enough = 60 + 70 * round;
        let count = 0;
        const worker = async (): Promise<void> => {
          const id = await accepted(program.calls, "alice", start("decision"));
          acknowledged.set(id, []);
          for (let n = 0; ; n++) {
            const messageId = `m${n}`;
            await accepted(program.calls, "alice", proposal(id, { messageId }));
            acknowledged.get(id)?.push(messageId);
            if (++count === enough) program.child.kill("SIGKILL");
          }
        };
        await Promise.allSettled(Array.from({ length: 8 }, worker));
        expect((await program.stop()).code).toBe(null);
      }
      const last = await running(env);
      for (const [id, messageIds] of acknowledged) {
        const stream = last.calls.streamSession(as("alice"));
        await stream.send(subscribe(id));
        stream.end();
        const kept = (await collect(stream)).map(({ response }) =>
          response.case === "envelope" ? response.value.messageId : "",
        );
        // At most one message more: accepted, and killed before its answer arrived.
        expect(kept.slice(1, messageIds.length + 1)).toEqual(messageIds);
        expect(kept.length).toBeLessThanOrEqual(messageIds.length + 2);
      }
      expect(acknowledged.size).toBe(40);
    },
  );
});

describe("metrics", () => {
  const get = async (address: string): Promise<string> => {
    const [host = "", port = ""] = address.split(":");
    const socket = connect({ host, port: Number(port) });
    socket.write("GET / HTTP/1.1\r\nHost: x\r\n\r\n");
    let text = "";
    // Ends because the server closes.
    for await (const chunk of socket) text += String(chunk);
    return text;
  };

  test("Prometheus text on any path, and the connection is closed", async () => {
    const [, port] = (
      await running().then(async (free) => {
        await free.stop();
        return free.target;
      })
    ).split(":");
    const address = `127.0.0.1:${port}`;
    const program = await running({ MACP_METRICS_ADDR: address });
    const id = await accepted(program.calls, "alice", start("decision"));
    await accepted(program.calls, "alice", proposal(id));
    await errorCode(program.calls, "mallory", proposal(id));
    const text = await get(address);
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n/);
    expect(text).toMatch(/content-type: text\/plain/i);
    expect(text).toContain('macp_sessions_started_total{mode="macp.mode.decision.v1"} 1\n');
    expect(text).toContain('macp_messages_accepted_total{mode="macp.mode.decision.v1"} 1\n');
    expect(text).toContain('macp_messages_rejected_total{mode="macp.mode.decision.v1"} 1\n');
    expect(text).toContain("# TYPE macp_commitments_accepted_total counter\n");
    expect(text).toContain("macp_replay_mismatches_total 0\n");
  });
});

describe("TLS", () => {
  test("h2 with a certificate; plaintext on the port fails", async () => {
    const { cert, key } = selfSigned();
    const dir = directory();
    writeFileSync(join(dir, "cert.pem"), cert);
    writeFileSync(join(dir, "key.pem"), key);
    const tls = {
      MACP_TLS_CERT_PATH: join(dir, "cert.pem"),
      MACP_TLS_KEY_PATH: join(dir, "key.pem"),
    };
    const env = {
      ...tls,
      MACP_ALLOW_INSECURE: "0",
      MACP_AUTH_TOKENS_JSON: '[{"token":"t","sender":"alice"}]',
    };
    const program = await running(env);
    const port = program.target.split(":")[1] ?? "";
    const transport = createGrpcTransport({ target: `localhost:${port}`, tls: { ca: cert } });
    onTestFinished(async () => transport.close());
    const answer = await transport.calls.initialize(hello, {});
    expect(answer.selectedProtocolVersion).toBe("1.0");
    const listed = await transport.calls.listSessions(create(ListSessionsRequestSchema), {
      auth: bearer("t"),
    });
    expect(listed.sessions).toEqual([]);
    await expect(program.calls.initialize(hello, { timeoutMs: 10_000 })).rejects.toSatisfy(
      (error) => statusOf(error) === grpcStatus.UNAVAILABLE,
    );
  });
});

describe("settings", () => {
  test("policies from files are there, and nobody changes them", async () => {
    const policies = directory();
    const policy = { policy_id: "p.one", mode: "*", description: "", rules: {}, schema_version: 1 };
    writeFileSync(join(policies, "one.json"), JSON.stringify(policy));
    writeFileSync(join(policies, "ignored.txt"), "{");
    const { calls } = await running({ MACP_POLICIES_DIR: policies });
    const { capabilities } = await calls.initialize(hello, {});
    expect(capabilities?.policyRegistry?.registerPolicy).toBe(false);
    const { descriptors } = await calls.listPolicies(
      create(ListPoliciesRequestSchema),
      as("alice"),
    );
    expect(descriptors.map(({ policyId }) => policyId)).toContain("p.one");
    const policyDescriptor = create(PolicyDescriptorSchema, {
      policyId: "p.two",
      mode: "*",
      schemaVersion: 1,
    });
    const request = create(RegisterPolicyRequestSchema, { policyDescriptor });
    await expect(calls.registerPolicy(request, as("alice"))).rejects.toSatisfy(
      (error) => statusOf(error) === grpcStatus.FAILED_PRECONDITION,
    );
  });

  test("payloads and starts have their limits", async () => {
    const { calls } = await running({
      MACP_MAX_PAYLOAD_BYTES: "200",
      MACP_SESSION_START_LIMIT_PER_MINUTE: "2",
    });
    const large = start("decision", { intent: "x".repeat(300) });
    expect(await errorCode(calls, "alice", large)).toBe("PAYLOAD_TOO_LARGE");
    expect(await errorCode(calls, "alice", start("decision"))).toBe("ok");
    expect(await errorCode(calls, "alice", start("decision"))).toBe("ok");
    expect(await errorCode(calls, "alice", start("decision"))).toBe("RATE_LIMITED");
    expect(await errorCode(calls, "bob", start("decision"))).toBe("ok");
  });

  test("a configured issuer turns self-naming off, whatever MACP_ALLOW_INSECURE says", async () => {
    const secret = new TextEncoder().encode("a shared secret that is longer than 32 bytes");
    const k = Buffer.from(secret).toString("base64");
    const jwt = {
      MACP_AUTH_ISSUER: "issuer",
      MACP_AUTH_JWKS_JSON: JSON.stringify({ keys: [{ kty: "oct", k }] }),
    };
    const token = await new SignJWT({ sub: "alice" })
      .setProtectedHeader({ alg: "HS256" })
      .setIssuer("issuer")
      .setAudience("macp-runtime")
      .setExpirationTime("5m")
      .sign(secret);
    const list = create(ListSessionsRequestSchema);
    const allowed = await running({ ...jwt, MACP_AUTH_JWT_ALGS: "HS256" });
    expect((await allowed.calls.listSessions(list, { auth: bearer(token) })).sessions).toEqual([]);
    expect(await errorCode(allowed.calls, "alice", start("decision"))).toBe("UNAUTHENTICATED");
    const request = create(SendRequestSchema, {
      envelope: start("decision", {}, { sender: "bob" }),
    });
    const { ack } = await allowed.calls.send(request, { auth: bearer(token) });
    expect(ack?.error?.code).toBe("UNAUTHENTICATED");
    const refused = await running(jwt);
    await expect(refused.calls.listSessions(list, { auth: bearer(token) })).rejects.toSatisfy(
      (error) => statusOf(error) === grpcStatus.UNAUTHENTICATED,
    );
  });
});
