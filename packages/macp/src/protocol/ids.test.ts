import fc from "fast-check";
import { expect, test } from "vitest";
import { isSessionId, newMessageId, newSessionId } from "./ids.ts";

test.each([
  ["4f3c2a10-9b7e-4c1d-8a2f-0123456789ab", true],
  ["01890a5d-ac96-774b-bcce-b302099a8057", true],
  ["4F3C2A10-9B7E-4C1D-8A2F-0123456789AB", false],
  ["4f3c2a10-9b7e-1c1d-8a2f-0123456789ab", false],
  ["4f3c2a10-9b7e-4c1d-1a2f-0123456789ab", true],
  ["00000000-0000-0000-0000-000000000000", false],
  ["4f3c2a109b7e4c1d8a2f0123456789ab", true],
  ["aaaaaaaaaaaaaaaaaaaaaa", true],
  ["aaaaaaaaaaaaaaaaaaaaa", false],
  ["aaaaaaaaaaaaaaaaaaaaa/", false],
  ["aaaaaaaaaaaaaaaaaaaaaa=", false],
  ["aaaaaaaaaaaaaaaaaaaaaa\n", false],
  ["", false],
])("session id %s: %s", (id, valid) => {
  expect(isSessionId(id)).toBe(valid);
});

test("random UUIDs of versions 4 and 7 and long base64url are session ids", () => {
  fc.assert(fc.property(fc.uuid({ version: [4, 7] }), isSessionId));
  fc.assert(fc.property(fc.uuid({ version: [1, 2, 3, 5, 6] }), (id) => !isSessionId(id)));
  const letters = "ABCXYZabcxyz0189_-".split("");
  const text = fc.string({ unit: fc.constantFrom(...letters), minLength: 22, maxLength: 35 });
  fc.assert(fc.property(text, isSessionId));
});

test("new ids are session ids, and never the same", () => {
  const ids = Array.from({ length: 100 }, () => [newSessionId(), newMessageId()]).flat();
  expect(ids.filter((id) => !isSessionId(id))).toEqual([]);
  expect(new Set(ids).size).toBe(200);
});
