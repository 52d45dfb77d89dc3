import { afterEach, expect, test, vi } from "vitest";
import { createClient, AgentKeysError } from "@agentkeys/core";
import {
  actor,
  broken,
  canary,
  deviceKeyHash,
  type Handler,
  hash,
  identity,
  operator,
  RpcProblem,
  send,
  type StandIn,
  standIn,
} from "../../test/stand-in.ts";
import type { ClientOptions, Fetch } from "./client-surface.ts";

const open: StandIn[] = [];
const platformFetch: Fetch = (url, init) => fetch(url, init);
const transports: Record<string, Pick<ClientOptions, "fetch">> = {
  undici: {},
  fetch: { fetch: platformFetch },
};

async function server(handlers: Record<string, Handler>): Promise<StandIn> {
  const started = await standIn(handlers);
  open.push(started);
  return started;
}

afterEach(async () => {
  vi.unstubAllEnvs();
  await Promise.all(open.splice(0).map((started) => started.close()));
});

const note = { ok: true, namespace: "travel", content: "Chengdu" };
const check = { scope: "payment.spend", params: { amount_rmb: 600 } };

test.each(Object.entries(transports))(
  "%s: sends identity, headers and the wire name",
  async (_, how) => {
    const { url, asked } = await server({ "agentkeys.memory.get": () => note });
    await using client = createClient({ url, ...identity, ...how, sessionBearer: "jwt" });
    expect(await client.memory.get({ namespace: "travel" })).toEqual(note);
    expect(asked).toHaveLength(1);
    expect(asked[0]?.params).toEqual({
      namespace: "travel",
      actor,
      operator_omni: operator,
      device_key_hash: deviceKeyHash,
    });
    expect(asked[0]?.headers).toMatchObject({
      authorization: "Bearer tok-canary",
      "x-agentkeys-actor": actor,
      "x-agentkeys-session-bearer": "jwt",
      "content-type": "application/json",
    });
    expect(asked[0]?.path).toBe("/mcp");
  },
);

test("every operation of the contract is a method of its wire name", async () => {
  const { url, names } = await server({ "*": () => ({}) });
  await using client = createClient({ url, ...identity });
  const { identity: who, memory, permission, cap, audit, delegation, approval, cred } = client;
  await Promise.allSettled([
    who.whoami(),
    memory.get({ namespace: "n" }),
    memory.put({ namespace: "n", content: "c" }),
    permission.check({ scope: "s" }),
    cap.mint({ op: "memory_get" }),
    cap.revoke({ cap_id: "c" }),
    audit.append({ event: { op_kind: 1, result: 0 } }),
    delegation.grant({ delegator: "a", delegate: "b", scope: "s" }),
    delegation.revoke({ delegation_id: "d" }),
    approval.request({ scope: "s" }),
    cred.store({ service: "s", content: "c" }),
    cred.fetch({ service: "s" }),
  ]);
  const groups = { identity: who, memory, permission, cap, audit, delegation, approval, cred };
  const methods = Object.entries(groups).flatMap(([group, made]) =>
    Object.keys(made).map((name) => `agentkeys.${group}.${name}`),
  );
  expect(names().toSorted()).toEqual(methods.toSorted());
});

test("identity lands where each operation wants it, and what is passed explicitly wins", async () => {
  const { url, asked } = await server({ "*": () => ({}) });
  await using client = createClient({ url, ...identity });
  const other = `0x${"11".repeat(32)}`;
  const seen = async (call: Promise<unknown>): Promise<unknown> => {
    await call.catch(() => {});
    return asked.at(-1)?.params;
  };
  expect(await seen(client.identity.whoami())).toEqual({ actor });
  const mine = { operator_omni: operator, device_key_hash: deviceKeyHash };
  const service = "memory:travel";
  expect(await seen(client.cap.mint({ op: "memory_put", params: { service }, ttl: 60 }))).toEqual({
    actor,
    op: "memory_put",
    params: { service, ...mine },
    ttl: 60,
  });
  expect(await seen(client.cap.mint({ op: "memory_put" }))).toEqual({
    actor,
    op: "memory_put",
    params: mine,
  });
  const event = { op_kind: 11, result: 0, operator_omni: other } as const;
  expect(await seen(client.audit.append({ event }))).toEqual({ actor, event });
  expect(await seen(client.memory.get({ actor: other, namespace: "travel" }))).toEqual({
    actor: other,
    namespace: "travel",
    ...mine,
  });
});

test("bad input is refused by the server, in its words", async () => {
  const { url, asked } = await server({
    "agentkeys.audit.append": () => {
      throw new RpcProblem(-32602, "missing `event`");
    },
  });
  await using client = createClient({ url, ...identity });
  await expect(client.audit.append({} as never)).rejects.toMatchObject({
    code: "invalid_params",
    message: "missing `event`",
  });
  expect(asked[0]?.params).toEqual({ actor });
});

test.each([
  ["half a character", "\ud800"],
  ["a number that JSON has not", Number.NaN],
  ["a map", new Map([["a", 1]])],
  ["a function", () => 1],
])("what JSON would change or lose is not sent: %s", async (_, value) => {
  const { url, asked } = await server({ "agentkeys.audit.append": () => ({ ok: true }) });
  await using client = createClient({ url, ...identity });
  const event = { op_kind: 11, result: 0, op_body: { value } } as never;
  await expect(client.audit.append({ event })).rejects.toMatchObject({ code: "invalid_params" });
  expect(asked).toEqual([]);
});

test.each([
  [413, { error: "too long", reason: "payload_too_large" }, "payload_too_large", "too long"],
  [413, "<html>", "payload_too_large", "HTTP 413 without a JSON-RPC answer"],
  [400, { error: "no JSON", reason: "invalid_request" }, "invalid_request", "no JSON"],
  [415, "text", "invalid_request", "HTTP 415 without a JSON-RPC answer"],
  [422, "text", "invalid_request", "HTTP 422 without a JSON-RPC answer"],
])("HTTP %i with %j: not read, and not sent again", async (status, body, code, message) => {
  const { url, asked } = await server({
    "agentkeys.memory.get": (_, response) => send(response, status, body),
  });
  await using client = createClient({ url, ...identity });
  const read = client.memory.get({ namespace: "travel" });
  await expect(read).rejects.toMatchObject({ code, message });
  expect(asked).toHaveLength(1);
});

test("reads the environment when a method needs it, and names what is missing", async () => {
  const { url, asked } = await server({
    "agentkeys.identity.whoami": () => ({
      omni: actor,
      display_name: "a",
      vendor: "v",
      scopes: [],
    }),
  });
  for (const name of [
    "MCP_URL",
    "MCP_VENDOR_TOKEN",
    "ACTOR_OMNI",
    "OPERATOR_OMNI",
    "DEVICE_KEY_HASH",
  ]) {
    vi.stubEnv(`AGENTKEYS_${name}`, "");
  }
  await using client = createClient();
  vi.stubEnv("AGENTKEYS_MCP_URL", url);
  await expect(client.identity.whoami()).rejects.toMatchObject({
    code: "config_invalid",
    data: { variable: "AGENTKEYS_ACTOR_OMNI" },
  });
  vi.stubEnv("AGENTKEYS_ACTOR_OMNI", actor);
  await expect(client.identity.whoami()).rejects.toMatchObject({
    data: { variable: "AGENTKEYS_MCP_VENDOR_TOKEN" },
  });
  vi.stubEnv("AGENTKEYS_MCP_VENDOR_TOKEN", "from-env");
  // No operator and no device key: whoami needs neither.
  await client.identity.whoami();
  await expect(client.memory.get({ namespace: "travel" })).rejects.toMatchObject({
    code: "config_invalid",
    data: { variable: "AGENTKEYS_OPERATOR_OMNI" },
  });
  expect(asked).toHaveLength(1);
  expect(asked[0]?.headers["authorization"]).toBe("Bearer from-env");
});

test.each(["nonsense", "ftp://host/mcp"])("url %s is config_invalid", async (url) => {
  await using client = createClient({ url, ...identity });
  await expect(client.identity.whoami()).rejects.toMatchObject({ code: "config_invalid" });
});

test("a token that no header may hold is refused without being quoted", async () => {
  await using client = createClient({ ...identity, token: "secret\r\nx-evil: 1" });
  const error = await client.identity.whoami().catch((thrown: unknown) => thrown);
  expect(error).toMatchObject({ code: "config_invalid" });
  expect(String(error)).not.toContain("secret");
});

const errors: [number, string, unknown, string][] = [
  [-32600, "unsupported jsonrpc version `1.0`", undefined, "invalid_request"],
  [-32601, "tool not found: agentkeys.permission.check", undefined, "tool_not_found"],
  [-32602, "missing `scope`", undefined, "invalid_params"],
  [-32603, "internal error", undefined, "internal"],
  [-32003, "actor mismatch: header=a, param=b", undefined, "actor_mismatch"],
  [-32003, "actor revoked: a", undefined, "actor_revoked"],
  [-32000, "not_implemented_in_v1", { scheduled_for: "M4" }, "not_implemented_in_v1"],
  [-32000, "audit_append failed: disk", undefined, "audit_unavailable"],
  [-32000, "too much", { code: "payload_too_large" }, "payload_too_large"],
  [-32000, "anything else", undefined, "backend_error"],
];

test.each(errors)("%i %s is typed, its text the server's", async (number, text, data, code) => {
  const { url, asked } = await server({
    "agentkeys.permission.check": () => {
      throw new RpcProblem(number, text, data);
    },
  });
  await using client = createClient({ url, ...identity });
  const error = await client.permission.check(check).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(AgentKeysError);
  expect(error).toMatchObject({ code, message: text });
  expect(asked).toHaveLength(1);
});

test.each([
  [401, -32001, "bearer token not recognized", "unauthorized"],
  [403, -32003, "missing X-AgentKeys-Actor header", "forbidden"],
])(
  "HTTP %i with a JSON-RPC error is typed, with and without the id",
  async (status, number, text, code) => {
    for (const withId of [true, false]) {
      const { url } = await server({
        "*": ({ id }, response) =>
          send(response, status, {
            jsonrpc: "2.0",
            error: { code: number, message: text },
            ...(withId && { id }),
          }),
      });
      await using client = createClient({ url, ...identity });
      await expect(client.permission.check(check)).rejects.toMatchObject({ code, message: text });
    }
  },
);

const shapes: Record<string, Handler> = {
  "no structuredContent": ({ id }, response) =>
    send(response, 200, { jsonrpc: "2.0", id, result: { content: [], isError: false } }),
  "isError true": ({ id }, response) =>
    send(response, 200, {
      jsonrpc: "2.0",
      id,
      result: { isError: true, structuredContent: { ok: true, envelope_hash: hash } },
    }),
  "half of the fields": () => ({ ok: true, extra: canary }),
  "a field of another type": () => ({ ok: canary, envelope_hash: hash }),
  "an array": () => [canary],
};

{
  for (const [transport, how] of Object.entries(transports)) {
    test.each(Object.entries({ ...broken, ...shapes }))(
      `${transport}: %s is authority_unavailable and quotes nothing`,
      async (_, handler) => {
        const { url, asked } = await server({ "agentkeys.audit.append": handler });
        await using client = createClient({ url, ...identity, ...how, timeoutMs: 300 });
        const event = { op_kind: 11, result: 0 } as const;
        const error = await client.audit.append({ event }).catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: "authority_unavailable" });
        expect(JSON.stringify(error)).not.toContain(canary);
        expect(JSON.stringify(error)).not.toContain("tok-canary");
        expect(asked).toHaveLength(1);
      },
    );
  }
}

test.each(Object.entries(transports))(
  "%s: an answer of more than 4 MiB is given up",
  async (_, how) => {
    const { url } = await server({
      "agentkeys.memory.get": () => ({ ...note, content: "x".repeat(5 * 1024 * 1024) }),
    });
    await using client = createClient({ url, ...identity, ...how, timeoutMs: 20_000 });
    await expect(client.memory.get({ namespace: "travel" })).rejects.toMatchObject({
      code: "authority_unavailable",
      message: expect.stringContaining("longer than") as string,
    });
  },
);

test.each(Object.entries(transports))(
  "%s: nobody listening is authority_unavailable",
  async (_, how) => {
    const gone = await standIn({});
    await gone.close();
    await using client = createClient({ url: gone.url, ...identity, ...how });
    await expect(client.identity.whoami()).rejects.toMatchObject({ code: "authority_unavailable" });
  },
);

test("a fetch that never settles, throws, or gives nothing", async () => {
  const fetches: Fetch[] = [
    () => new Promise(() => {}),
    () => {
      throw new Error(canary);
    },
    () => Promise.reject(new Error(canary)),
    () => Promise.resolve(undefined as never),
  ];
  for (const given of fetches) {
    await using client = createClient({ ...identity, fetch: given, timeoutMs: 100 });
    const error = await client.identity.whoami().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({ code: "authority_unavailable" });
    expect((error as Error).message).not.toContain(canary);
  }
});

test("unknown fields are tolerated and not passed on", async () => {
  const { url } = await server({ "agentkeys.memory.get": () => ({ ...note, later: 1 }) });
  await using client = createClient({ url, ...identity });
  expect(await client.memory.get({ namespace: "travel" })).toEqual(note);
});

test.each(Object.entries(transports))(
  "%s: a call's signal ends it with the signal's reason",
  async (_, how) => {
    const { url, asked } = await server({ "*": broken["hang"] as Handler });
    await using client = createClient({ url, ...identity, ...how });
    const reason = new Error("enough");
    const controller = new AbortController();
    const call = client.identity.whoami({}, { signal: controller.signal });
    await vi.waitFor(() => expect(asked).toHaveLength(1));
    controller.abort(reason);
    await expect(call).rejects.toBe(reason);
    await expect(client.identity.whoami({}, { signal: controller.signal })).rejects.toBe(reason);
    expect(asked).toHaveLength(1);
  },
);

test("a call's own deadline wins over the client's", async () => {
  const { url } = await server({ "*": broken["hang"] as Handler });
  await using client = createClient({ url, ...identity, timeoutMs: 60_000 });
  await expect(client.identity.whoami({}, { timeoutMs: 50 })).rejects.toMatchObject({
    message: "no answer within 50 ms",
  });
  await expect(client.identity.whoami({}, { timeoutMs: Number.NaN })).rejects.toMatchObject({
    code: "config_invalid",
  });
});

test("idempotency key and trace context travel as headers", async () => {
  const { url, asked } = await server({ "*": () => ({ ok: true, namespace: "n" }) });
  await using client = createClient({ url, ...identity });
  const traceparent = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
  await client.memory.put({ namespace: "n", content: "c" }, { idempotencyKey: "k1", traceparent });
  await client.memory.put({ namespace: "n", content: "c" });
  expect(asked.map(({ headers }) => [headers["idempotency-key"], headers["traceparent"]])).toEqual([
    ["k1", traceparent],
    [undefined, undefined],
  ]);
});

test("after close every call rejects, and closing twice is fine", async () => {
  const { url, asked } = await server({ "*": () => ({}) });
  const client = createClient({ url, ...identity });
  await client.close();
  await client.close();
  await expect(client.identity.whoami()).rejects.toMatchObject({ code: "invalid_request" });
  await expect(client.call("identity_whoami", {})).rejects.toMatchObject({
    code: "invalid_request",
  });
  expect(asked).toEqual([]);
});

test("a model's ambient fields are dropped, wherever they stand", async () => {
  const { url, asked } = await server({
    "agentkeys.memory.get": () => note,
    "agentkeys.audit.append": () => ({ ok: true, envelope_hash: hash }),
  });
  await using client = createClient({ url, ...identity });
  const forged = { actor: "0xevil", operator_omni: "0xevil", device_key_hash: "0xevil", cap: {} };
  await client.call("memory_get", { namespace: "travel", service: "x", ttl_seconds: 9, ...forged });
  await client.call("audit_append", {
    ...forged,
    event: { op_kind: 1, result: 0, operator_omni: "0xevil" },
  });
  expect(asked[0]?.params).toEqual({
    namespace: "travel",
    actor,
    operator_omni: operator,
    device_key_hash: deviceKeyHash,
  });
  expect(asked[1]?.params).toMatchObject({
    actor,
    event: { op_kind: 1, result: 0, operator_omni: operator },
  });
});

test("a model can call the model's tools and no other", async () => {
  const { url, asked } = await server({ "*": () => ({}) });
  await using client = createClient({ url, ...identity });
  expect(Object.keys(client.rows)).not.toContain("cred_fetch");
  for (const name of ["cred_fetch", "cred_store", "nonsense", "constructor", "__proto__"]) {
    await expect(client.call(name, {})).rejects.toMatchObject({ code: "tool_not_found" });
  }
  for (const input of [undefined, null, "text", 1, []]) {
    await expect(client.call("memory_get", input)).rejects.toMatchObject({
      code: "invalid_params",
    });
  }
  expect(asked).toEqual([]);
});
