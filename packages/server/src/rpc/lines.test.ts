import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { lines } from "./lines.ts";

async function linesOf(chunks: readonly (Buffer | string)[], limit?: number) {
  const all: (string | undefined)[] = [];
  for await (const line of lines(Readable.from(chunks), limit)) all.push(line);
  return all;
}

test("lines come out whole however the bytes arrive", async () => {
  const text = fc.array(fc.string({ unit: fc.constantFrom("a", "é", "成", "😀", " ") }), {
    maxLength: 8,
  });
  await fc.assert(
    fc.asyncProperty(text, fc.integer({ min: 1, max: 5 }), async (wanted, size) => {
      const bytes = Buffer.from(wanted.map((line) => `${line}\n`).join(""));
      const chunks = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await linesOf(chunks)).toEqual(wanted);
    }),
  );
});

test("a last line without a break counts, and a carriage return does not", async () => {
  expect(await linesOf(["a\r\n", "b"])).toEqual(["a", "b"]);
});

test("a line beyond the limit is told and forgotten, and the next one is whole", async () => {
  expect(await linesOf(["12345", "67", "\nok\n123456\n12345"], 5)).toEqual([
    undefined,
    "ok",
    undefined,
    "12345",
  ]);
});

test("bytes that are not UTF-8 are no line", async () => {
  expect(await linesOf([Buffer.from([0xff, 0x0a]), "ok\n"])).toEqual([undefined, "ok"]);
});
