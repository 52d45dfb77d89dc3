import { spawn } from "node:child_process";
import { once } from "node:events";
import { createServer, type AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { create } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RuntimeCalls } from "../client/transport.ts";
import {
  CancelSessionRequestSchema,
  InitializeRequestSchema,
  ResumeSessionRequestSchema,
  SendRequestSchema,
  SuspendSessionRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import type { Ack } from "../generated/macp/v1/envelope_pb.ts";
import {
  PolicyDescriptorSchema,
  RegisterPolicyRequestSchema,
} from "../generated/macp/v1/policy_pb.ts";
import { devAgent } from "../protocol/auth.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { newSessionId } from "../protocol/ids.ts";
import { type ModeKey, modeKeys, modeTable } from "../protocol/mode-table.ts";
import { toSessionState } from "../runtime/metadata.ts";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import type { Envelope } from "./envelope.ts";
import type { Kernel, Outcome } from "./kernel.ts";
import { createBench, startEnvelope } from "./kernel.test-kit.ts";
import { type Action, actions, cast, policies } from "./random-session.test-kit.ts";

const binary = process.env["MACP_REFERENCE_BINARY"];
const runs = 60;

/** Messages that the reference takes and we do not, whatever the session: numbers that are none, and a forged implicit accept. */
const closedHoles = new Set(["Evaluation", "TaskUpdate", "HandoffAccept"]);

// Needs a program that is not among the dependencies: see `pnpm interop`. Newer ones than 0.6 differ on purpose.
describe.skipIf(binary === undefined)("the kernel beside the one at MACP_REFERENCE_BINARY", () => {
  const stop = new AbortController();
  let calls: RuntimeCalls;
  let comparable = false;

  beforeAll(async () => {
    const target = `127.0.0.1:${await freePort()}`;
    const env = {
      MACP_ALLOW_INSECURE: "1",
      MACP_MEMORY_ONLY: "1",
      MACP_BIND_ADDR: target,
      MACP_SESSION_START_LIMIT_PER_MINUTE: "1000000",
      MACP_MESSAGE_LIMIT_PER_MINUTE: "1000000",
    };
    const options = { signal: stop.signal, killSignal: "SIGKILL", stdio: "ignore" } as const;
    const program = spawn(binary ?? "", { ...options, env: { ...process.env, ...env } });
    program.on("error", () => {});
    const transport = createGrpcTransport({ target, allowInsecure: true });
    stop.signal.addEventListener("abort", () => void transport.close());
    calls = transport.calls;
    comparable = await ready(calls);
  });
  afterAll(() => stop.abort());

  test.each(modeKeys)(
    "%s: random scripts are answered alike",
    async (key) => {
      if (!comparable) return;
      const scripts = fc.sample(fc.tuple(policies(key), actions(key)), runs);
      let compared = 0;
      for (const [policy, script] of scripts) {
        // The reference knows no schema version above 2.
        const init = {
          ...policy,
          policyId: newSessionId(),
          schemaVersion: Math.min(policy.schemaVersion, 2),
        };
        const { kernel } = createBench({ clock: Date.now });
        kernel.policies.register(init);
        const policyDescriptor = create(PolicyDescriptorSchema, init);
        await calls.registerPolicy(
          create(RegisterPolicyRequestSchema, { policyDescriptor }),
          as("admin"),
        );
        for await (const [ours, theirs] of both({ key, kernel, calls }, init.policyId, script)) {
          expect({ policy: init, answer: ours }).toEqual({ policy: init, answer: theirs });
          compared += 1;
        }
      }
      expect(compared).toBeGreaterThan(runs * 10);
    },
    120_000,
  );
});

interface Pair {
  readonly key: ModeKey;
  readonly kernel: Kernel;
  readonly calls: RuntimeCalls;
}

const as = (sender: string) => ({ auth: devAgent(sender) });

/** The script told to both, answer by answer. */
async function* both(pair: Pair, policy: string, script: readonly Action[]) {
  const { key, kernel, calls } = pair;
  const { mode } = modeTable[key];
  const sessionId = newSessionId();
  const init = { sessionId, participants: cast, policy, ttlMs: 600_000, maxSuspendMs: 600_000 };
  yield await sent(pair, startEnvelope(mode, init));
  for (const action of script) {
    if (action.kind === "wait") {
      // Long enough for an offer to lapse.
      if (key === "handoff" && action.ms === 400) await sleep(510);
      continue;
    }
    if (action.kind !== "message") {
      const outcome = await kernel[action.kind](sessionId, { by: action.by, reason: "" });
      yield [shown(outcome), await controlled(calls, action.kind, { sessionId, by: action.by })];
      continue;
    }
    const { sender, type: messageType, payload, id: messageId } = action;
    const message = { mode, sessionId, sender, messageType, payload, messageId, timestampMs: 0 };
    const [ours, theirs] = await sent(pair, toEnvelope(message));
    if (closedHoles.has(messageType) && !ours.ok && theirs.ok) return;
    yield [ours, theirs];
  }
}

async function sent({ kernel, calls }: Pair, envelope: Envelope) {
  const request = create(SendRequestSchema, { envelope: { ...envelope } });
  const { ack } = await calls.send(request, as(envelope.sender));
  return [shown(await kernel.send(envelope)), shownAck(ack)] as const;
}

async function controlled(
  calls: RuntimeCalls,
  kind: "cancel" | "suspend" | "resume",
  { sessionId, by }: { sessionId: string; by: string },
) {
  const init = { sessionId, reason: "" };
  const ask = {
    cancel: () => calls.cancelSession(create(CancelSessionRequestSchema, init), as(by)),
    suspend: () => calls.suspendSession(create(SuspendSessionRequestSchema, init), as(by)),
    resume: () => calls.resumeSession(create(ResumeSessionRequestSchema, init), as(by)),
  }[kind];
  try {
    return shownAck((await ask()).ack);
  } catch (error) {
    if (!AgentKeysError.is(error, "forbidden")) throw error;
    return { ok: false, code: "FORBIDDEN", text: "Forbidden" };
  }
}

function shown(outcome: Outcome) {
  if (outcome.ok)
    return { ok: true, state: toSessionState(outcome.state), duplicate: outcome.duplicate };
  const { code, variant: text, reasons } = outcome;
  return { ok: false, code, text, ...(reasons === undefined ? {} : { reasons }) };
}

function shownAck(ack: Ack | undefined) {
  if (ack?.error === undefined)
    return { ok: true, state: ack?.sessionState, duplicate: ack?.duplicate };
  const { code, message: text, details } = ack.error;
  const reasons =
    details.length === 0 ? {} : (JSON.parse(new TextDecoder().decode(details)) as object);
  return { ok: false, code, text, ...reasons };
}

/** Whether it is a release that we mean to be like. */
async function ready(calls: RuntimeCalls): Promise<boolean> {
  const request = create(InitializeRequestSchema, { supportedProtocolVersions: ["1.0"] });
  for (let attempt = 0; ; attempt++) {
    try {
      const { runtimeInfo } = await calls.initialize(request, {});
      return runtimeInfo?.version.startsWith("0.6.") === true;
    } catch (error) {
      if (attempt === 100) throw error;
      await sleep(100);
    }
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return port;
}
