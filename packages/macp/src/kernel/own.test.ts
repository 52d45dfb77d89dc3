import fc from "fast-check";
import { expect, test } from "vitest";
import { toEnvelope } from "../protocol/envelope.ts";
import { createOwner } from "./own.ts";

const note = (payload: Uint8Array, changes: object = {}) =>
  toEnvelope({
    mode: "ext.note",
    messageType: "Note",
    sessionId: "s",
    sender: "ann",
    payload,
    ...changes,
  });

test("what was taken over stays what it was, whatever comes later and whatever its sender does with it", () => {
  const sizes = fc.integer({ min: 0, max: 3000 });
  fc.assert(
    fc.property(fc.array(sizes, { maxLength: 60 }), (lengths) => {
      const own = createOwner();
      const given = lengths.map((length, i) => note(new Uint8Array(length).fill(i + 1)));
      const taken = given.map((envelope) => own(envelope));
      for (const { payload } of given) payload.fill(0);
      for (const [i, { payload }] of taken.entries()) {
        expect(payload).toEqual(new Uint8Array(lengths[i] ?? 0).fill(i + 1));
      }
    }),
    { numRuns: 30 },
  );
});

test("every field is the sender's, however many different words came before", () => {
  const own = createOwner();
  for (let i = 0; i < 3000; i++)
    own(note(new Uint8Array(), { sessionId: `s${i}`, sender: `p${i}` }));
  const given = note(Uint8Array.of(1, 2), { sessionId: "s7", sender: "p9" });
  const { $typeName: _, ...fields } = given;
  expect(own(given)).toEqual(fields);
});
