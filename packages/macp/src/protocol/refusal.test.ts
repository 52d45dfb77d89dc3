import { AgentKeysError, isErrorCode } from "@agentkeys/contract";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { AckSchema, MACPErrorSchema } from "../generated/macp/v1/envelope_pb.ts";
import { type GrpcStatus, grpcStatus } from "./error-codes.ts";
import { refusalError, refusalOf, statusError, statusOf } from "./refusal.ts";

const json = (value: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(value));

test("a refusal on a stream names its message itself, one in an ack may leave that to the ack", () => {
  const bare = create(MACPErrorSchema, { code: "FORBIDDEN" });
  expect(refusalOf(refusalError(bare))).toMatchObject({ sessionId: "", messageId: "" });
  const ack = create(AckSchema, { sessionId: "s1", messageId: "m1" });
  expect(refusalOf(refusalError(bare, ack))).toMatchObject({ sessionId: "s1", messageId: "m1" });
  const named = create(MACPErrorSchema, { ...bare, sessionId: "s2", messageId: "m2" });
  expect(refusalOf(refusalError(named, ack))).toMatchObject({ sessionId: "s2", messageId: "m2" });
});

test.each([
  [json({ reasons: ["a", "b"] }), ["a", "b"], []],
  [
    json({ reasons: ["a"], denials: [{ code: "threshold_not_met", message: "a" }] }),
    ["a"],
    [{ code: "threshold_not_met", message: "a" }],
  ],
  [json({ other: 1 }), [], []],
  [json({ reasons: "a" }), [], []],
  [json([]), [], []],
  [json(null), [], []],
  [Uint8Array.of(0xff), [], []],
  [new Uint8Array(), [], []],
])("details %#", (details, reasons, denials) => {
  const error = refusalError(create(MACPErrorSchema, { code: "POLICY_DENIED", details }));
  expect(refusalOf(error)).toMatchObject({ code: "POLICY_DENIED", reasons, denials });
  const status = grpcStatus.FAILED_PRECONDITION;
  const failed = statusError({ status, message: "PolicyDenied", details });
  expect(refusalOf(failed)).toMatchObject({ code: "POLICY_DENIED", reasons, denials });
});

test.each(Object.values(grpcStatus).map((status) => [status]))(
  "status %i has a code",
  (status: GrpcStatus) => {
    const error = statusError({ status, message: "something" });
    expect([isErrorCode(error.code), statusOf(error), refusalOf(error)]).toEqual([
      true,
      status,
      undefined,
    ]);
  },
);

test("a message over gRPC's own limit is payload_too_large, other exhaustion rate_limited", () => {
  const status = grpcStatus.RESOURCE_EXHAUSTED;
  expect(statusError({ status, message: "Received message larger than max (5 vs 4)" }).code).toBe(
    "payload_too_large",
  );
  const decoded = "decoded message length too large: found 5 bytes, the limit is: 4 bytes";
  expect(statusError({ status: grpcStatus.OUT_OF_RANGE, message: decoded }).code).toBe(
    "payload_too_large",
  );
  expect(statusError({ status, message: "RateLimited" }).code).toBe("rate_limited");
  expect(statusError({ status, message: "lagged by 3" }).code).toBe("rate_limited");
});

test("the runtime's code before its text wins over the status", () => {
  const status = grpcStatus.FAILED_PRECONDITION;
  const error = statusError({ status, message: "UNSUPPORTED_PROTOCOL_VERSION: 2.0" });
  expect(error.code).toBe("invalid_request");
  expect(refusalOf(error)?.code).toBe("UNSUPPORTED_PROTOCOL_VERSION");
});

test("other errors are no refusals and have no status", () => {
  for (const error of [
    undefined,
    new Error("x"),
    new AgentKeysError("conflict", "x"),
    { data: { macp_code: "FORBIDDEN" } },
  ]) {
    expect([refusalOf(error), statusOf(error)]).toEqual([undefined, undefined]);
  }
});
