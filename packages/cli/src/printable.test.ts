import { expect, test } from "vitest";
import { printable } from "./printable.ts";

test("a text of others stays one line of one colour, in one direction", () => {
  const forged = "x\u001b[2K\r\n     9  guard.intent\u2028ok\u202e\u200b\u009b31m\ud800";
  expect(printable(forged)).toBe("x·[2K··     9  guard.intent·ok···31m·");
  expect(printable("tool.näme 汉字 👍 /x?y=1")).toBe("tool.näme 汉字 👍 /x?y=1");
});
