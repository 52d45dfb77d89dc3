import { expect, test } from "vitest";
import { createReplays } from "./replays.ts";

const write = { by: "a", key: "k", digest: "d" };

test("a write runs once for its key, also while the first is under way", async () => {
  const replays = createReplays();
  let runs = 0;
  const run = async () => `answer ${++runs}`;
  const answers = await Promise.all([replays.once(write, run), replays.once(write, run)]);
  expect(answers).toEqual(["answer 1", "answer 1"]);
  expect(await replays.once(write, run)).toBe("answer 1");
  expect(await replays.once({ ...write, by: "b" }, run)).toBe("answer 2");
});

test("another call under the same key is a conflict", async () => {
  const replays = createReplays();
  await replays.once(write, async () => "");
  const again = { ...write, digest: "e" };
  expect(() => replays.once(again, async () => "")).toThrow(
    expect.objectContaining({ code: "conflict" }),
  );
});

test("a write that failed may be tried again", async () => {
  const replays = createReplays();
  const failing = replays.once(write, () => Promise.reject(new Error("no")));
  await expect(failing).rejects.toThrow("no");
  expect(await replays.once(write, async () => "yes")).toBe("yes");
});

test("only the latest keys are kept", async () => {
  const replays = createReplays(2);
  let runs = 0;
  const run = async () => `${++runs}`;
  for (const key of ["1", "2", "3"]) await replays.once({ ...write, key }, run);
  expect(await replays.once({ ...write, key: "3" }, run)).toBe("3");
  expect(await replays.once({ ...write, key: "1" }, run)).toBe("4");
});
