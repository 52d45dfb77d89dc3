import { expect, onTestFinished, test } from "vitest";
import { type CancelRequest, createCancelServer } from "./cancel-server.ts";

async function open(onCancel: (request: CancelRequest) => void | Promise<void>) {
  const server = await createCancelServer({ onCancel });
  onTestFinished(async () => server.close());
  const post = async (body: string, url = server.url) =>
    (await fetch(url, { method: "POST", body })).status;
  return { server, post };
}

test("hands the request on and answers when that is done", async () => {
  const seen: CancelRequest[] = [];
  const { post } = await open(async (request) => {
    await Promise.resolve();
    seen.push(request);
  });
  expect(await post('{"runId":"r1","reason":"over"}')).toBe(200);
  expect(await post('{"runId":"r2"}')).toBe(200);
  expect(seen).toEqual([
    { runId: "r1", reason: "over" },
    { runId: "r2", reason: "" },
  ]);
});

test("answers anything else with what is wrong, and cancels nothing", async () => {
  let called = 0;
  const { server, post } = await open(() => {
    called += 1;
  });
  expect(await post("no json")).toBe(400);
  expect(await post('{"reason":"over"}')).toBe(400);
  expect(await post("null")).toBe(400);
  expect(await post('{"runId":"r"}', `${server.url}/deeper`)).toBe(404);
  expect((await fetch(server.url)).status).toBe(405);
  expect(await post(`{"runId":"${"r".repeat(70_000)}"}`)).toBe(413);
  expect(called).toBe(0);
});

test("a cancellation that fails is told so, without its reason", async () => {
  const { server } = await open(() => {
    throw new Error("hush");
  });
  const response = await fetch(server.url, { method: "POST", body: '{"runId":"r"}' });
  expect([response.status, await response.text()]).toEqual([500, '{"ok":false}']);
});

test("a port that is taken is a config error; a closed server answers nobody", async () => {
  const { server } = await open(() => {});
  const port = Number(new URL(server.url).port);
  await expect(createCancelServer({ port, onCancel: () => {} })).rejects.toMatchObject({
    code: "config_invalid",
  });
  await server.close();
  await expect(fetch(server.url, { method: "POST", body: "{}" })).rejects.toThrow(TypeError);
});
