import { PassThrough, Readable } from "node:stream";
import { text as readText } from "node:stream/consumers";
import { expect, test } from "vitest";
import { actor, device, open, operator, other } from "../testdata/harness.test-kit.ts";

type Answer = {
  id?: unknown;
  result?: { structuredContent?: unknown };
  error?: { code: number; message: string };
};

async function exchange(
  lines: readonly (string | object)[],
  options: Parameters<typeof open>[0] = {},
): Promise<Answer[]> {
  const { authority } = await open(options);
  const output = new PassThrough();
  const texts = lines.map((line) => `${typeof line === "string" ? line : JSON.stringify(line)}\n`);
  await authority.stdio({ input: Readable.from(texts), output });
  output.end();
  const answers = (await readText(output)).split("\n");
  expect(answers.pop()).toBe("");
  return answers.map((line) => JSON.parse(line) as Answer);
}

function call(id: number | undefined, tool: string, args: object) {
  return {
    jsonrpc: "2.0",
    id,
    method: "tools/call",
    params: { name: `agentkeys.${tool}`, arguments: args },
  };
}

test("answers come in order; blank lines and notifications have none", async () => {
  const ping = (id?: unknown) => ({ jsonrpc: "2.0", id, method: "ping" });
  const answers = await exchange([
    "",
    ping(1),
    "  ",
    ping(),
    ping(null),
    { ...ping(), method: "notifications/initialized" },
    ping("x"),
  ]);
  expect(answers.map(({ id }) => id)).toEqual([1, "x"]);
});

test("a notification is run all the same", async () => {
  const note = { actor, operator_omni: operator, device_key_hash: device, namespace: "travel" };
  const [answer] = await exchange([
    call(undefined, "memory.put", { ...note, content: "here" }),
    call(2, "memory.get", note),
  ]);
  expect(answer?.result?.structuredContent).toMatchObject({ content: "here" });
});

test.each(["{", "7", "[]", '{"jsonrpc":"2.0"}', '"\\ud800"', "x".repeat((1 << 20) + 1)])(
  "what is no request is a parse error without an id",
  async (line) => {
    const [answer, next] = await exchange([line, { jsonrpc: "2.0", id: 1, method: "ping" }]);
    expect(answer).toEqual({
      jsonrpc: "2.0",
      error: { code: -32700, message: expect.stringMatching(/^parse error: /) as string },
    });
    expect(next).toMatchObject({ id: 1 });
  },
);

test("the local caller is believed whom it names, within the configuration", async () => {
  const stranger = `0x${"99".repeat(32)}`;
  const whoami = (id: number, omni: string) => call(id, "identity.whoami", { actor: omni });
  const [mine, others, strangers] = await exchange([
    whoami(1, actor),
    whoami(2, other),
    whoami(3, stranger),
  ]);
  expect(mine?.result?.structuredContent).toMatchObject({ omni: actor, vendor: "local" });
  expect(others?.result?.structuredContent).toMatchObject({ omni: other });
  expect(strangers?.error).toMatchObject({
    code: -32003,
    message: `actor not allowed: ${stranger}`,
  });
});
