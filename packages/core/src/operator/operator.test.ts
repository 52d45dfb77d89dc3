import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, expect, test, vi } from "vitest";
import { actor, broken, canary, hash } from "../../test/stand-in.ts";
import { createOperator } from "./operator.ts";

interface Door {
  url: string;
  seen: { method: string | undefined; path: string; authorization: string; body: unknown }[];
}

const closing: (() => void)[] = [];

afterEach(() => {
  vi.unstubAllEnvs();
  for (const close of closing.splice(0)) close();
});

async function door(
  answer: (response: ServerResponse, request: IncomingMessage) => void,
  prefix = "",
): Promise<Door> {
  const seen: Door["seen"] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const { method, url: path = "", headers } = request;
      const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
      seen.push({ method, path, authorization: headers.authorization ?? "", body });
      answer(response, request);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closing.push(() => {
    server.close();
    server.closeAllConnections();
  });
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}${prefix}/mcp`, seen };
}

const revocation = { ok: true, actor, revoked_at: 1_790_000_000, envelope_hash: hash };
const reply =
  (status: number, body: unknown) =>
  (response: ServerResponse): void => {
    response.writeHead(status);
    response.end(typeof body === "string" ? body : JSON.stringify(body));
  };
const lost = { reason: "lost phone" };

test.each(["", "/agents/eu"])("its addresses come from the /mcp URL %s", async (prefix) => {
  const { url, seen } = await door(reply(200, revocation), prefix);
  await using operator = createOperator({ url, token: "op-tok" });
  expect(await operator.actors.revoke(actor, lost)).toEqual(revocation);
  expect(seen).toEqual([
    {
      method: "POST",
      path: `${prefix}/v1/actors/${actor}/revoke`,
      authorization: "Bearer op-tok",
      body: lost,
    },
  ]);
});

test("the token comes from its own variable, and is named when it is missing", async () => {
  vi.stubEnv("AGENTKEYS_OPERATOR_TOKEN", "");
  vi.stubEnv("AGENTKEYS_MCP_VENDOR_TOKEN", "the agent's");
  const { url, seen } = await door(reply(200, revocation));
  vi.stubEnv("AGENTKEYS_MCP_URL", url);
  await using operator = createOperator();
  await expect(operator.actors.revoke(actor, lost)).rejects.toMatchObject({
    code: "config_invalid",
    data: { variable: "AGENTKEYS_OPERATOR_TOKEN" },
  });
  vi.stubEnv("AGENTKEYS_OPERATOR_TOKEN", "from-env");
  await operator.actors.revoke(actor, lost);
  expect(seen.map(({ authorization }) => authorization)).toEqual(["Bearer from-env"]);
});

test("an actor's name cannot leave its place in the path", async () => {
  const { url, seen } = await door(reply(200, revocation));
  await using operator = createOperator({ url, token: "t" });
  await operator.actors.revoke("../x?y#z", lost);
  expect(seen[0]?.path).toBe("/v1/actors/..%2Fx%3Fy%23z/revoke");
});

test.each([
  [401, { error: "bearer token not recognized", reason: "unauthorized" }, "unauthorized"],
  [403, { error: "an agent's token", reason: "forbidden" }, "forbidden"],
  [404, "", "not_found"],
  [400, { error: "actor must start with 0x", reason: "invalid_params" }, "invalid_params"],
  [409, { error: "twice" }, "conflict"],
  [502, { error: "not durable", reason: "audit_unavailable" }, "audit_unavailable"],
  [500, { error: "internal error", reason: "internal" }, "internal"],
])("HTTP %i %j is typed", async (status, body, code) => {
  const { url, seen } = await door(reply(status, body));
  await using operator = createOperator({ url, token: "t" });
  const message = typeof body === "string" ? `HTTP ${status}` : body.error;
  await expect(operator.actors.revoke(actor, lost)).rejects.toMatchObject({ code, message });
  expect(seen).toHaveLength(1);
});

test.each(
  [
    "hang",
    "cut before the answer",
    "a page",
    "an empty body",
    "HTTP 500 with a page",
    "JSON null",
  ].concat(["half of a revocation", "ok false"]),
)("%s is authority_unavailable", async (how) => {
  const answers: Record<string, unknown> = {
    "half of a revocation": { ok: true, actor },
    "ok false": { ...revocation, ok: false },
  };
  const { url } = await door((response) =>
    how in answers
      ? reply(200, answers[how])(response)
      : broken[how]?.({ id: 1, what: "", params: {}, headers: {}, path: "" }, response),
  );
  await using operator = createOperator({ url, token: "t", timeoutMs: 150 });
  const error = await operator.actors.revoke(actor, lost).catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "authority_unavailable" });
  expect(JSON.stringify(error)).not.toContain(canary);
});

test("a revocation whose answer was lost is sent again", async () => {
  let calls = 0;
  const { url, seen } = await door((response) => {
    if (++calls === 1) response.socket?.destroy();
    else reply(200, revocation)(response);
  });
  await using operator = createOperator({ url, token: "t" });
  expect(await operator.actors.revoke(actor, lost)).toEqual(revocation);
  expect(seen).toHaveLength(2);
});

test("in process, through a given fetch; and only from a /mcp URL", async () => {
  const asked: string[] = [];
  const fetch = async (url: string): Promise<Response> => {
    asked.push(url);
    return Response.json(revocation);
  };
  await using operator = createOperator({ fetch, url: "http://authority/mcp", token: "t" });
  await operator.actors.revoke(actor, lost);
  expect(asked).toEqual([`http://authority/v1/actors/${actor}/revoke`]);
  await using wrong = createOperator({ fetch, url: "http://authority/", token: "t" });
  await expect(wrong.actors.revoke(actor, lost)).rejects.toMatchObject({ code: "config_invalid" });
});
