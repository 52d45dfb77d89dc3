import { create } from "@bufbuild/protobuf";
import { expect, onTestFinished } from "vitest";
import type { RuntimeCalls, SessionStream } from "../../client/transport.ts";
import {
  GetSessionRequestSchema,
  ModeDescriptorSchema,
  RegisterExtModeRequestSchema,
  type RegisterExtModeRequest,
  type SessionMetadata,
  type StreamSessionResponse,
} from "../../generated/macp/v1/core_pb.ts";
import type { MACPError } from "../../generated/macp/v1/envelope_pb.ts";
import { PolicyDescriptorSchema, RegisterPolicyRequestSchema, type RegisterPolicyRequest } from "../../generated/macp/v1/policy_pb.ts";
import type { GrpcStatus } from "../../protocol/error-codes.ts";
import { newSessionId } from "../../protocol/ids.ts";
import { statusOf } from "../../protocol/refusal.ts";
import { as } from "./messages.test-kit.ts";

/** Calls of a runtime where callers name themselves. */
export type Connect = () => Promise<RuntimeCalls>;

/** The next message, and whether the stream is over. */
export function reader<T>(messages: AsyncIterable<T>) {
  const iterator = messages[Symbol.asyncIterator]();
  onTestFinished(async () => void (await iterator.return?.().catch(() => {})));
  return {
    async next(): Promise<T> {
      const { done, value } = await iterator.next();
      if (done === true) throw new Error("the stream has ended");
      return value;
    },
    ended: async () => (await iterator.next()).done,
    status: async () => iterator.next().then(() => undefined, statusOf),
  };
}

export async function failed(call: Promise<unknown>, status: GrpcStatus): Promise<string> {
  const error = await call.then(
    () => expect.unreachable("the call succeeded"),
    (reason: unknown) => reason,
  );
  expect(statusOf(error)).toBe(status);
  return (error as Error).message;
}

export const idOf = ({ response }: StreamSessionResponse): string | undefined =>
  response.case === "envelope" ? response.value.messageId : undefined;
export const errorOf = ({ response }: StreamSessionResponse): MACPError | undefined =>
  response.case === "error" ? response.value : undefined;

export function opened(calls: RuntimeCalls, sender: string): SessionStream {
  const stream = calls.streamSession(as(sender));
  onTestFinished(() => stream.cancel());
  return stream;
}

export const policy = (
  policyId: string,
  rules: object = {},
  mode = "macp.mode.decision.v1",
): RegisterPolicyRequest =>
  create(RegisterPolicyRequestSchema, {
    policyDescriptor: create(PolicyDescriptorSchema, {
      policyId,
      mode,
      description: "a policy",
      rules: JSON.stringify(rules),
      schemaVersion: 2,
    }),
  });

/** The status that a call fails with; undefined when it succeeds. */
export async function statusAfter(call: Promise<unknown>): Promise<GrpcStatus | undefined> {
  return call.then(() => undefined, statusOf);
}

export async function metadata(
  calls: RuntimeCalls,
  sessionId: string,
  sender = "alice",
): Promise<SessionMetadata | undefined> {
  const answer = await calls.getSession(create(GetSessionRequestSchema, { sessionId }), as(sender));
  return answer.metadata;
}

/** A mode that can be registered. */
export function extension(
  mode = `ext.test-${newSessionId()}.v1`,
  changes: object = {},
): RegisterExtModeRequest {
  const modeDescriptor = create(ModeDescriptorSchema, {
    mode,
    modeVersion: "1.0.0",
    messageTypes: ["Note", "Commitment"],
    terminalMessageTypes: ["Commitment"],
    ...changes,
  });
  return create(RegisterExtModeRequestSchema, { modeDescriptor });
}
