import { AgentKeysError } from "@agentkeys/contract";
import { afterEach, expect, test, vi } from "vitest";
import {
  type Books,
  broken,
  canary,
  fusedBooks,
  type Handler,
  identity,
  RpcProblem,
  send,
  type StandIn,
  standIn,
  upstreamBooks,
} from "../test/stand-in.ts";
import { createClient } from "./client/client.ts";
import type { Client, Fetch } from "./client/client-surface.ts";
import { createGuard } from "./guard/guard.ts";
import type { Guard, JsonObject } from "./guard/guard-surface.ts";

const open: (StandIn | Client)[] = [];

// An unhandled rejection anywhere here fails the run: the runner watches for them.
afterEach(async () => {
  await Promise.all(open.splice(0).map((started) => started.close()));
});

interface Scene extends Books {
  readonly server: StandIn;
  readonly guard: Guard;
  readonly ran: JsonObject[];
  run(signal?: AbortSignal): Promise<unknown>;
}

async function scene(books: Books, timeoutMs = 2000, fetch?: Fetch): Promise<Scene> {
  const server = await standIn(books.handlers);
  const client = createClient({ url: server.url, ...identity, timeoutMs, fetch });
  const guard = createGuard({ client, tools: { order_food: { scope: "payment.spend" } } });
  open.push(client, server);
  const ran: JsonObject[] = [];
  const call = { tool: "order_food", input: { price: 200 } };
  const run = (signal?: AbortSignal): Promise<unknown> =>
    guard.run({ ...call, signal }, (input) => ran.push(input));
  return { ...books, server, guard, ran, run };
}

const unavailable = {
  status: "denied",
  code: "authority_unavailable",
  reason: "authority_unavailable",
};
const platformFetch: Fetch = (url, init) => fetch(url, init);

test.each(
  Object.keys(broken).flatMap(
    (how) =>
      [
        [how, undefined],
        [how, platformFetch],
      ] as const,
  ),
)("begin meets %s: denied, nothing runs, and the authority is told so", async (how, fetch) => {
  const books = fusedBooks();
  const begin = books.handlers["guard/begin"] as Handler;
  const { server, run, ran, rows } = await scene(books, 400, fetch);
  // The authority did begin; only its answer is lost.
  server.handlers["guard/begin"] = async (asked, response) => {
    await begin(asked, response);
    return broken[how]?.(asked, response);
  };
  const denial = await run();
  expect(denial).toMatchObject(unavailable);
  expect(JSON.stringify(denial)).not.toContain(canary);
  await vi.waitFor(() => expect(server.names()).toContain("guard/end"));
  const [began, ended] = server.asked.map(({ params }) => params);
  expect(ended).toEqual({
    actor: identity.actor,
    begin_id: began?.["begin_id"],
    outcome: "not_run",
  });
  expect(rows.map(({ body }) => body["outcome"] ?? body["verdict"])).toEqual(["accept", "not_run"]);
  expect(ran).toEqual([]);
  expect(server.names().filter((name) => name === "guard/begin")).toHaveLength(1);
});

const whole = {
  verdict: "accept",
  scope: "payment.spend",
  reason: "r",
  explanation: "e",
  ticket: "t",
  envelope_hash: `0x${"1".repeat(64)}`,
};

const fields = Object.keys(whole);

test.each<readonly [string, unknown]>([
  ...fields.map((field) => [`no ${field}`, { ...whole, [field]: undefined }] as const),
  ...fields.map((field) => [`${field} of another type`, { ...whole, [field]: 1 }] as const),
  ["another scope", { ...whole, scope: "memory.read" }],
  ["no scope", { ...whole, scope: null }],
  ["an empty ticket", { ...whole, ticket: "" }],
  ["no hash", { ...whole, envelope_hash: "0x12" }],
  ["a list", [whole]],
])("a begin answered with %s denies", async (_, answer) => {
  const { server, run, ran } = await scene({
    rows: [],
    handlers: { "guard/begin": () => answer, "guard/end": () => ({ ok: true }) },
  });
  expect(await run()).toMatchObject({ status: "denied" });
  expect(ran).toEqual([]);
  await vi.waitFor(() => expect(server.names()).toEqual(["guard/begin", "guard/end"]));
});

test("that whole answer would have been accepted", async () => {
  const { run, ran } = await scene({
    rows: [],
    handlers: { "guard/begin": () => whole, "guard/end": () => ({ ok: true }) },
  });
  expect(await run()).toMatchObject({ status: "ran" });
  expect(ran).toHaveLength(1);
});

test.each([
  [-32001, "bearer token not recognized", undefined, "unauthorized"],
  [-32003, "actor mismatch: header=a, param=b", undefined, "actor_mismatch"],
  [-32000, "audit_append failed: disk full", undefined, "audit_unavailable"],
  [-32000, "method not found: guard/begin", undefined, "backend_error"],
  [-32602, "missing `scope`", undefined, "invalid_params"],
  [-32000, "begin_id was used for another call", { code: "conflict" }, "conflict"],
])(
  "begin refused with %i %s denies, and is no reason to fall back",
  async (number, text, data, code) => {
    const { server, run, ran } = await scene({
      rows: [],
      handlers: {
        ...upstreamBooks().handlers,
        "guard/begin": () => {
          throw new RpcProblem(number, text, data);
        },
      },
    });
    expect(await run()).toMatchObject({ status: "denied", code, reason: code, explanation: text });
    expect(server.names()).toEqual(["guard/begin"]);
    expect(ran).toEqual([]);
  },
);

test("HTTP 404 is not the answer that there is no such method", async () => {
  const { server, run, ran } = await scene({
    rows: [],
    handlers: {
      ...upstreamBooks().handlers,
      "guard/begin": (_, response) => send(response, 404, {}),
      "guard/end": () => ({}),
    },
  });
  expect(await run()).toMatchObject(unavailable);
  expect(ran).toEqual([]);
  expect(server.names()).not.toContain("agentkeys.permission.check");
});

test("a server without the fused calls is asked for them once", async () => {
  const { server, run } = await scene(upstreamBooks());
  await run();
  await run();
  const round = ["agentkeys.permission.check", "agentkeys.audit.append", "agentkeys.audit.append"];
  expect(server.names()).toEqual(["guard/begin", ...round, ...round]);
});

test.each(Object.keys(broken))("upstream: a check that meets %s denies", async (how) => {
  const { server, run, ran, rows } = await scene(upstreamBooks(), 400);
  server.handlers["agentkeys.permission.check"] = broken[how] as Handler;
  expect(await run()).toMatchObject(unavailable);
  expect(ran).toEqual([]);
  expect(rows).toEqual([]);
  expect(server.names()).toEqual(["guard/begin", "agentkeys.permission.check"]);
});

test.each(Object.keys(broken))("upstream: a record that meets %s denies", async (how) => {
  const { server, run, ran } = await scene(upstreamBooks(), 400);
  server.handlers["agentkeys.audit.append"] = broken[how] as Handler;
  expect(await run()).toMatchObject(unavailable);
  expect(ran).toEqual([]);
  expect(server.names()).toEqual([
    "guard/begin",
    "agentkeys.permission.check",
    "agentkeys.audit.append",
  ]);
});

test.each([
  ["another scope", { verdict: "accept", scope: "memory.read", reason: "", explanation: "" }],
  ["half of the fields", { verdict: "accept", scope: "payment.spend" }],
  [
    "a verdict that is true",
    { verdict: true, scope: "payment.spend", reason: "", explanation: "" },
  ],
])("upstream: a check answered with %s denies", async (_, answer) => {
  const { server, run, ran } = await scene(upstreamBooks());
  server.handlers["agentkeys.permission.check"] = () => answer;
  expect(await run()).toMatchObject(unavailable);
  expect(ran).toEqual([]);
});

test.each([
  ["ok false", { ok: false, envelope_hash: whole.envelope_hash }],
  ["no hash", { ok: true }],
  ["a hash that is none", { ok: true, envelope_hash: "0x" }],
])("upstream: a record answered with %s denies", async (_, answer) => {
  const { server, run, ran } = await scene(upstreamBooks());
  server.handlers["agentkeys.audit.append"] = () => answer;
  expect(await run()).toMatchObject(unavailable);
  expect(ran).toEqual([]);
});

test("upstream: a record that the server cannot write denies with its text", async () => {
  const { server, run, ran } = await scene(upstreamBooks());
  server.handlers["agentkeys.audit.append"] = () => {
    throw new RpcProblem(-32000, "audit_append failed: backend HTTP error (500): disk full");
  };
  expect(await run()).toMatchObject({
    code: "audit_unavailable",
    message:
      "Denied by AgentKeys: audit_unavailable (audit_append failed: backend HTTP error (500): disk full)",
  });
  expect(ran).toEqual([]);
});

test("a decision is never asked twice, even when it was turned away for its rate", async () => {
  const busy: Handler = (_, response) => {
    response.writeHead(429, { "retry-after": "0" });
    response.end();
  };
  const fused = await scene({ rows: [], handlers: { "guard/begin": busy } });
  expect(await fused.run()).toMatchObject({ status: "denied", code: "rate_limited" });
  expect(fused.server.names()).toEqual(["guard/begin"]);
  const upstream = await scene(upstreamBooks());
  upstream.server.handlers["agentkeys.permission.check"] = busy;
  expect(await upstream.run()).toMatchObject({ status: "denied", code: "rate_limited" });
  expect(upstream.server.names()).toEqual(["guard/begin", "agentkeys.permission.check"]);
});

test("one deadline spans probe, check and record", async () => {
  const slow =
    (handler: Handler): Handler =>
    async (asked, response) => {
      await new Promise((resolve) => setTimeout(resolve, 120));
      return handler(asked, response);
    };
  const books = upstreamBooks();
  for (const name of Object.keys(books.handlers)) {
    books.handlers[name] = slow(books.handlers[name] as Handler);
  }
  const { server, run, ran } = await scene(books, 200);
  server.handlers["guard/begin"] = slow(() => {
    throw new RpcProblem(-32601, "method not found: guard/begin");
  });
  expect(await run()).toMatchObject(unavailable);
  expect(ran).toEqual([]);
  expect(server.names()).not.toContain("agentkeys.audit.append");
});

test.each([
  ["fused", fusedBooks, "guard/begin"],
  ["upstream", upstreamBooks, "agentkeys.audit.append"],
] as const)("%s: an abort during the decision ends it at once", async (_, books, door) => {
  const { server, run, ran } = await scene(books(), 60_000);
  server.handlers[door] = broken["hang"] as Handler;
  const aborting = new AbortController();
  const running = run(aborting.signal);
  await vi.waitFor(() => expect(server.names()).toContain(door));
  aborting.abort(new Error("stop"));
  expect(await running).toMatchObject({ status: "denied", reason: "aborted" });
  expect(ran).toEqual([]);
});

test.each(["method_not_found", "permission_denied"] as const)(
  "an abort whose reason is a %s says nothing of the server, and what began is ended",
  async (code) => {
    const books = fusedBooks();
    const begin = books.handlers["guard/begin"] as Handler;
    const { server, run, ran, rows } = await scene(books);
    server.handlers["guard/begin"] = async (asked, response) => {
      await begin(asked, response);
    };
    const aborting = new AbortController();
    const running = run(aborting.signal);
    await vi.waitFor(() => expect(rows).toHaveLength(1));
    aborting.abort(new AgentKeysError(code, "another server's"));
    expect(await running).toMatchObject({ status: "denied", reason: "aborted" });
    server.handlers["guard/begin"] = begin;
    expect(await run()).toMatchObject({ status: "ran" });
    await vi.waitFor(() => expect(rows).toHaveLength(4));
    const written = rows.map(({ body }) => String(body["outcome"] ?? body["verdict"]));
    expect(written.toSorted()).toEqual(["accept", "accept", "not_run", "ok"]);
    expect(ran).toHaveLength(1);
  },
);

test.each(Array.from({ length: 40 }, (_, hops) => [hops]))(
  "an abort %i microtasks after the answer: it runs or it is recorded as not run, never both",
  async (hops) => {
    const books = fusedBooks();
    const aborting = new AbortController();
    const delayed: Fetch = async (url, init) => {
      const response = await fetch(url, init);
      const text = await response.text();
      const begins = (init.body as string).includes("guard/begin");
      const answer = Promise.resolve(text);
      let hop: Promise<unknown> = answer;
      for (let i = 0; i < hops; i++) hop = hop.then((value) => value);
      void hop.then(() => begins && aborting.abort());
      return { status: 200, headers: response.headers, body: null, text: () => answer } as Response;
    };
    const { run, ran, rows } = await scene(books, 2000, delayed);
    const { status } = (await run(aborting.signal)) as { status: string };
    await vi.waitFor(() => expect(rows).toHaveLength(2));
    expect([status, ran.length, rows[1]?.body["outcome"]]).toEqual(
      ran.length === 0 ? ["denied", 0, "not_run"] : ["ran", 1, "ok"],
    );
  },
);

test("a missing identity denies and names the variable", async () => {
  vi.stubEnv("AGENTKEYS_OPERATOR_OMNI", "");
  const server = await standIn(fusedBooks().handlers);
  const client = createClient({ url: server.url, ...identity, operator: undefined });
  open.push(client, server);
  const guard = createGuard({ client, tools: { t: { scope: "s" } } });
  const denial = await guard.run({ tool: "t", input: {} }, () => "ran");
  expect(denial).toMatchObject({ status: "denied", code: "config_invalid" });
  expect((denial as { message: string }).message).toContain("AGENTKEYS_OPERATOR_OMNI");
  vi.unstubAllEnvs();
});

test("a guard is refused a row or a client that could govern nothing", () => {
  const client = createClient(identity);
  for (const row of [
    {},
    { scope: "" },
    { scope: "s", params: {} },
    { scope: "s", record: "dish" },
  ]) {
    expect(() => createGuard({ client, tools: { t: row as never } })).toThrow(/^tools\.t\./);
  }
  expect(() => createGuard({ client: {} as never, tools: {} })).toThrow(/^client: /);
  expect(() => createGuard({ client: { ...client }, tools: {} })).not.toThrow();
});
