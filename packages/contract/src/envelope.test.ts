import { isDeepStrictEqual } from "node:util";
import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bytesToHex0x, hexToBytes } from "./bytes.ts";
import { type CborValue, decodeCanonical, encodeCanonical } from "./cbor.ts";
import {
  type AuditEnvelope,
  decodeEnvelope,
  encodeEnvelope,
  envelopeHash,
  hexFieldProblem,
  intentCommitment,
} from "./envelope.ts";
import { JsonFloat } from "./json.ts";

const intent: AuditEnvelope = {
  version: 1,
  ts_unix: 1767300000,
  actor_omni: `0x${"a0".repeat(32)}`,
  operator_omni: `0x${"07".repeat(32)}`,
  op_kind: 240,
  op_body: {
    tool: "order_food",
    call_id: "c1",
    scope: "payment.spend",
    verdict: "accept",
    clear: { dish: "mapo tofu" },
  },
  result: 0,
  intent_text: null,
  intent_commitment: null,
};
const hex32 = fc.uint8Array({ minLength: 32, maxLength: 32 }).map(bytesToHex0x);
const byte = fc.integer({ min: 0, max: 255 });
const envelope: fc.Arbitrary<AuditEnvelope> = fc.record(
  {
    version: fc.constant(1 as const),
    ts_unix: fc.nat({ max: Number.MAX_SAFE_INTEGER }),
    actor_omni: hex32,
    operator_omni: hex32,
    op_kind: byte,
    op_body: fc.oneof(
      fc.constant(null),
      fc.dictionary(
        fc.string(),
        fc.oneof(fc.string(), fc.integer(), fc.constant(new JsonFloat(1))),
        {
          noNullPrototype: true,
        },
      ),
    ),
    result: byte,
    intent_text: fc.option(fc.string({ unit: "grapheme" })),
    intent_commitment: fc.option(hex32),
  },
  { noNullPrototype: true },
);

/** The map of an encoded envelope, with some fields replaced or (undefined) removed. */
function altered(changes: Record<string, CborValue | undefined>): Uint8Array {
  const map = decodeCanonical(encodeEnvelope(intent)) as Record<string, CborValue>;
  return encodeCanonical({ ...map, ...changes } as CborValue);
}

describe("encodeEnvelope", () => {
  test("is the canonical CBOR of the nine fields with hex as bytes", () => {
    fc.assert(
      fc.property(envelope, (item) => {
        const bytes = encodeEnvelope(item);
        const { intent_commitment } = item;
        const generic = encodeCanonical({
          ...item,
          actor_omni: hexToBytes(item.actor_omni),
          operator_omni: hexToBytes(item.operator_omni),
          intent_commitment: intent_commitment === null ? null : hexToBytes(intent_commitment),
        });
        expect(bytes).toEqual(generic);
        expect(isDeepStrictEqual(decodeEnvelope(bytes), item)).toBe(true);
      }),
    );
  });

  test("hex may come in upper case and without 0x", () => {
    expect(encodeEnvelope({ ...intent, actor_omni: "A0".repeat(32) })).toEqual(
      encodeEnvelope(intent),
    );
  });

  test.each([
    ["0x1234", "actor_omni: expected 32 bytes, got 2"],
    ["", "actor_omni: expected 32 bytes, got 0"],
    ["0x" + "11".repeat(33), "actor_omni: expected 32 bytes, got 33"],
    ["0x123", "actor_omni: invalid hex: Odd number of digits"],
    ["0X" + "11".repeat(32), "actor_omni: invalid hex: Invalid character 'X' at position 1"],
    [
      "0x" + "11".repeat(31) + "1g",
      "actor_omni: invalid hex: Invalid character 'g' at position 63",
    ],
    ["11".repeat(31) + "@1", "actor_omni: invalid hex: Invalid character '@' at position 62"],
    ["11".repeat(31) + "`1", "actor_omni: invalid hex: Invalid character '`' at position 62"],
    ["11".repeat(31) + ":1", "actor_omni: invalid hex: Invalid character ':' at position 62"],
    ["11".repeat(31) + "/1", "actor_omni: invalid hex: Invalid character '/' at position 62"],
    [
      "11".repeat(31) + "\u01311",
      "actor_omni: invalid hex: Invalid character '\u0131' at position 62",
    ],
  ])("actor_omni %j: %s", (actor_omni, message) => {
    expect(hexFieldProblem("actor_omni", actor_omni)).toBe(message);
    expect(() => encodeEnvelope({ ...intent, actor_omni })).toThrow(new Error(message));
    expect(() => encodeEnvelope({ ...intent, intent_commitment: actor_omni })).toThrow(
      "intent_commitment: ",
    );
    expect(() => encodeEnvelope({ ...intent, operator_omni: actor_omni })).toThrow(
      "operator_omni: ",
    );
  });

  test("encodes what hexFieldProblem accepts, and refuses the rest with its text", () => {
    const digits = fc.string({
      unit: fc.constantFrom("0", "7", "9", "a", "f", "A", "F"),
      minLength: 62,
      maxLength: 66,
    });
    const failure = (actor_omni: string): string | undefined => {
      try {
        encodeEnvelope({ ...intent, actor_omni });
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    };
    fc.assert(
      fc.property(
        fc.oneof(
          digits,
          digits.map((text) => `0x${text}`),
        ),
        (actor_omni) => {
          expect(failure(actor_omni)).toBe(hexFieldProblem("actor_omni", actor_omni));
        },
      ),
      { numRuns: 500 },
    );
  });

  test.each([
    { version: 99 },
    { op_kind: 256 },
    { op_kind: -1 },
    { op_kind: 1.5 },
    { result: 256 },
    { ts_unix: -1 },
    { ts_unix: 2 ** 53 },
    { ts_unix: NaN },
    { op_body: undefined },
    { intent_text: undefined },
    { intent_commitment: undefined },
    { op_body: { at: new Date(0) } },
    { intent_text: "\ud800" },
  ])("%o is refused", (change) => {
    expect(() => encodeEnvelope({ ...intent, ...change } as unknown as AuditEnvelope)).toThrow(
      Error,
    );
  });
});

describe("decodeEnvelope", () => {
  test("another version is named", () => {
    const message = "unsupported envelope version: 99 (this code supports 1)";
    expect(() => decodeEnvelope(altered({ version: 99 }))).toThrow(new Error(message));
    expect(() => decodeEnvelope(altered({ version: undefined }))).toThrow(
      "unsupported envelope version",
    );
  });

  test("unknown keys are ignored, unknown kinds and results kept", () => {
    expect(decodeEnvelope(altered({ later: [1, Uint8Array.of(1)], __proto__: undefined }))).toEqual(
      intent,
    );
    expect(decodeEnvelope(altered({ op_kind: 250, result: 7 }))).toEqual({
      ...intent,
      op_kind: 250,
      result: 7,
    });
  });

  test.each<[Record<string, CborValue | undefined>]>([
    [{ actor_omni: undefined }],
    [{ actor_omni: new Uint8Array(31) }],
    [{ actor_omni: intent.actor_omni }],
    [{ operator_omni: null }],
    [{ op_kind: 256 }],
    [{ op_kind: "240" }],
    [{ result: null }],
    [{ ts_unix: 2n ** 60n }],
    [{ op_body: undefined }],
    [{ op_body: Uint8Array.of(1) }],
    [{ op_body: { deep: [Uint8Array.of(1)] } }],
    [{ intent_text: 1 }],
    [{ intent_text: undefined }],
    [{ intent_commitment: undefined }],
    [{ intent_commitment: "0x" }],
  ])("%o is no envelope", (changes) => {
    expect(() => decodeEnvelope(altered(changes))).toThrow(Error);
  });

  test.each([["00"], ["80"], ["f6"], ["63616263"], ["420102"], ["f93c00"], [""]])(
    "the bytes %s are no envelope",
    (bytes) => {
      expect(() => decodeEnvelope(hexToBytes(bytes))).toThrow(Error);
    },
  );
});

test("envelopeHash names the bytes: one bit flipped gives another hash", () => {
  const bytes = encodeEnvelope(intent);
  const hash = envelopeHash(bytes);
  expect(hash).toMatch(/^0x[0-9a-f]{64}$/);
  for (const at of [0, bytes.length >> 1, bytes.length - 1]) {
    const flipped = bytes.slice();
    flipped[at] = (flipped[at] as number) ^ 1;
    expect(envelopeHash(flipped)).not.toBe(hash);
  }
});

test("intentCommitment binds the text and the digest", () => {
  const digest = new Uint8Array(32).fill(1);
  const one = intentCommitment("Approve 1 USDC", digest);
  expect(intentCommitment("Approve 2 USDC", digest)).not.toBe(one);
  expect(intentCommitment("Approve 1 USDC", new Uint8Array(32).fill(2))).not.toBe(one);
  expect(() => intentCommitment("Approve 1 USDC", new Uint8Array(31))).toThrow(RangeError);
});
