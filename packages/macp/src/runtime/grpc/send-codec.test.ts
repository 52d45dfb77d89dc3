import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import fc from "fast-check";
import { expect, test } from "vitest";
import { SendRequestSchema, SendResponseSchema } from "../../generated/macp/v1/core_pb.ts";
import { readSendRequest, writeSendResponse } from "./send-codec.ts";

const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.constantFrom("", "1.0", "é", "\ufffd", "x".repeat(300)),
);
const int64 = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }),
  fc.constantFrom(0n, 1n, -1n, 2n ** 49n - 1n, 2n ** 49n, 2n ** 53n),
);

const envelope = fc.record({
  macpVersion: text,
  mode: text,
  messageType: text,
  messageId: text,
  sessionId: text,
  sender: text,
  timestampUnixMs: int64,
  payload: fc.uint8Array({ maxLength: 300 }),
});

const wireTypes = [
  WireType.Varint,
  WireType.Bit64,
  WireType.LengthDelimited,
  WireType.Bit32,
] as const;

/** The fields alone: whether a message is plain or made by description does not show on the wire. */
const fields = (bytes: Uint8Array) =>
  toBinary(SendRequestSchema, readSendRequest(Buffer.from(bytes)));
const known = (bytes: Uint8Array) =>
  toBinary(SendRequestSchema, fromBinary(SendRequestSchema, bytes));

test("requests are read as the generated codec reads them", () => {
  const request = fc.record({ envelope }, { requiredKeys: [] });
  fc.assert(
    fc.property(request, (init) => {
      const bytes = toBinary(SendRequestSchema, create(SendRequestSchema, init));
      expect(fields(bytes)).toEqual(known(bytes));
    }),
  );
});

test("so are bytes that no encoder of ours makes: fields twice, unknown, out of order, cut off", () => {
  const field = fc.tuple(
    fc.integer({ min: 1, max: 20 }),
    fc.constantFrom(...wireTypes),
    fc.uint8Array(),
  );
  const inner = fc.array(field).map((all) => {
    const writer = new BinaryWriter();
    for (const [number, type, bytes] of all) {
      writer.tag(number, type);
      if (type === WireType.Varint) writer.uint32(bytes.length);
      else if (type === WireType.Bit64) writer.fixed64(7n);
      else if (type === WireType.Bit32) writer.fixed32(7);
      else writer.bytes(bytes);
    }
    return writer.finish();
  });
  const outer = fc.array(inner, { maxLength: 3 }).map((parts) => {
    const writer = new BinaryWriter();
    for (const part of parts) writer.tag(1, WireType.LengthDelimited).bytes(part);
    return writer.finish();
  });
  const cut = fc
    .tuple(outer, fc.nat({ max: 3 }))
    .map(([bytes, by]) => bytes.subarray(0, bytes.length - by));
  const result = (read: () => Uint8Array): Uint8Array | string => {
    try {
      return read();
    } catch {
      return "refused";
    }
  };
  fc.assert(
    fc.property(fc.oneof(outer, cut, fc.uint8Array()), (bytes) => {
      expect(result(() => fields(bytes))).toEqual(result(() => known(bytes)));
    }),
    { numRuns: 1_000 },
  );
});

test("bytes of a payload are bytes of the request and no Buffer", () => {
  const bytes = toBinary(
    SendRequestSchema,
    create(SendRequestSchema, { envelope: { payload: Uint8Array.of(1, 2) } }),
  );
  const { payload } = readSendRequest(Buffer.from(bytes)).envelope ?? {};
  expect(payload?.constructor).toBe(Uint8Array);
});

test("responses are written as the generated codec writes them", () => {
  const error = fc.record({ code: text, message: text, details: fc.uint8Array() });
  const ack = fc.record(
    {
      ok: fc.boolean(),
      duplicate: fc.boolean(),
      messageId: text,
      sessionId: text,
      acceptedAtUnixMs: fc.oneof(int64, fc.bigInt({ min: 1n, max: 2n ** 53n - 1n })),
      sessionState: fc.integer({ min: 0, max: 5 }),
      error,
    },
    { requiredKeys: ["messageId", "sessionId", "acceptedAtUnixMs", "sessionState"] },
  );
  fc.assert(
    fc.property(fc.record({ ack }, { requiredKeys: [] }), (init) => {
      const response = create(SendResponseSchema, init as never);
      const written = writeSendResponse(response);
      expect(fromBinary(SendResponseSchema, written)).toEqual(
        fromBinary(SendResponseSchema, toBinary(SendResponseSchema, response)),
      );
    }),
    { numRuns: 1_000 },
  );
});
