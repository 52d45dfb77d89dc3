import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { inspect } from "node:util";
import { createClient, createGuard, createOperator } from "@agentkeys/core";
import { reveal } from "@agentkeys/contract";
import { createAuthority } from "@agentkeys/server";
import { expect, onTestFinished, test } from "vitest";
import { mockAuthority, type MockAuthority } from "./mock-authority.ts";
import { configOf, env, identity, operatorToken } from "./mock-config.ts";
import { findRecords } from "./match-record.ts";
import { listenToPrints } from "./suite/printed.ts";
import "./vitest.ts";

/** The canaries inside frameworks are in the framework suite; here is everything that serves and fails without one. */
const planted = {
  argument: "canary-of-an-argument",
  fact: "canary-of-a-fact",
  result: "canary-of-a-result",
  error: "canary-of-an-error",
  mapper: "canary-of-a-mapper",
  header: "canary-of-a-header",
  note: "canary-of-a-note",
  credential: "canary-of-a-credential",
};

/** Whatever a reader may get of an error, hidden parts included. */
const whole = (error: unknown): string =>
  [inspect(error, { depth: 12, showHidden: true }), JSON.stringify(error)].join("\n");

const caught = (run: Promise<unknown>): Promise<string> =>
  run.then(
    () => expect.fail("was expected to fail"),
    (error: unknown) => whole(error),
  );

function expectNone(place: string, text: string, secrets: readonly string[]): void {
  for (const secret of secrets) expect(text, place).not.toContain(secret);
}

const succeed: (input: object) => string = () => planted.result;
const fail: (input: object) => string = () => {
  throw new Error(planted.error);
};

/** Guarded calls that run, fail, are refused and cannot be decided, and what their callers got. */
async function play(authority: MockAuthority, client = authority.client()) {
  const guard = createGuard({
    client,
    tools: {
      search_web: { scope: "web.search" },
      pay: { scope: "payment.spend", params: () => ({ note: planted.fact }) },
      unclear: {
        scope: "web.search",
        params: () => {
          throw new Error(planted.mapper);
        },
      },
    },
  });
  const input = { query: planted.argument };
  const ran = await guard.wrap("search_web", succeed)(input);
  const failing = guard.wrap("search_web", fail);
  await expect(failing(input)).rejects.toThrow(planted.error);
  const refusals = [
    await caught(guard.wrap("pay", succeed)(input)),
    await caught(guard.wrap("unclear", succeed)(input)),
    await caught(guard.wrap("unknown", succeed)(input)),
    await caught(guard.wrap("search_web", succeed)({ ...input, odd: new Map() })),
  ];
  return { ran, refusals };
}

test("no record, served page, print or refusal holds what was planted", async () => {
  const printed = listenToPrints();
  await using authority = await mockAuthority({ deny: ["payment.spend"] });
  const url = await authority.url();
  const sessionBearer = planted.header;
  await using client = createClient({ url, ...authority.identity, sessionBearer });
  const { ran, refusals } = await play(authority, client);
  expect(ran).toBe(planted.result);
  expect(refusals).toHaveLength(4);
  await client.memory.put({ namespace: "travel", content: planted.note });
  await client.cred.store({ service: "openrouter", content: planted.credential });
  const fetched = await client.cred.fetch({ service: "openrouter" });
  expect(fetched.content).toBe(planted.credential);

  const secrets = [...Object.values(planted), authority.identity.token, operatorToken];
  const record = JSON.stringify(authority.log());
  expectNone("record", record, secrets);
  for (const page of ["/metrics", "/readyz", "/healthz"]) {
    const answer = await fetch(url.replace("/mcp", page));
    expectNone(page, `${JSON.stringify([...answer.headers])}${await answer.text()}`, secrets);
  }
  expectNone("refusal", refusals.join("\n"), secrets);
  expectNone("print", printed(), secrets);
});

test("an authority that breaks says nothing of what it was asked", async () => {
  const printed = listenToPrints();
  await using authority = await mockAuthority();
  const { token } = authority.identity;
  const sessionBearer = planted.header;
  const client = authority.client({ sessionBearer, timeoutMs: 60 });
  const guard = createGuard({ client, tools: { search_web: { scope: "web.search" } } });
  const search = guard.wrap("search_web", succeed);
  const errors: string[] = [];
  for (const trouble of [
    { fault: "down" },
    { fault: "cut" },
    { fault: "garbage" },
    { fault: "error 500" },
    { fault: undefined, auditDown: true },
  ] as const) {
    authority.set(trouble);
    errors.push(await caught(search({ query: planted.argument })));
    const put = { namespace: "travel", content: planted.note };
    errors.push(await caught(client.memory.put(put)));
    const store = { service: "openrouter", content: planted.credential };
    errors.push(await caught(client.cred.store(store)));
  }
  // Nobody listens there.
  await using lost = createClient({ ...authority.identity, url: "http://127.0.0.1:1/mcp" });
  errors.push(await caught(lost.memory.put({ namespace: "travel", content: planted.note })));
  await using intruder = createOperator({ fetch: authority.fetch, token });
  errors.push(await caught(intruder.actors.revoke(authority.identity.actor, { reason: "x" })));
  expect(errors).toHaveLength(17);
  const secrets = [...Object.values(planted), token, operatorToken];
  expectNone("error", errors.join("\n"), secrets);
  // The last refusal could not be written, so the authority's own log speaks.
  expect(printed()).toContain("could not be recorded");
  expectNone("print", printed(), secrets);
});

test("what a person reads is for that person: not in the record, and gone from view once decided", async () => {
  const shown = { query: planted.argument };
  await using authority = await mockAuthority({ ask: ["web.search"] });
  const guard = createGuard<{ search_web: { query: string } }>({
    client: authority.client(),
    tools: { search_web: { scope: "web.search", describe: ({ query }) => `search ${query}` } },
    approval: { showInput: true },
  });
  const asked = await guard.run({ tool: "search_web", input: shown, callId: "c1" }, () => "done");
  expect(asked.status).toBe("asked");
  const person = authority.operator();
  const [pending] = await person.approvals.list();
  expect(pending).toMatchObject({ input: shown, text: `search ${planted.argument}` });
  await person.approvals.deny(pending?.id ?? "", { digest: pending?.digest, reason: "no" });
  const [decided] = await person.approvals.list();
  expect(decided).toMatchObject({ status: "denied" });
  expect(decided?.input).toBeUndefined();
  expectNone("record", JSON.stringify(authority.log()), [planted.argument]);
});

test("nothing that was planted lies on the disk in clear", async () => {
  const data = mkdtempSync(join(tmpdir(), "canary-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const config = configOf({ deny: [], ask: ["web.ask"], actor: {} });
  {
    await using authority = await createAuthority({ data, config, env });
    await using client = createClient({ fetch: authority.fetch, ...identity });
    const guard = createGuard<{ search_web: object; ask_web: object }>({
      client,
      tools: {
        search_web: { scope: "web.search", params: () => ({ note: planted.fact }) },
        ask_web: { scope: "web.ask", describe: () => planted.note },
      },
      approval: { showInput: true },
    });
    const input = { query: planted.argument };
    const call = { input, callId: "c1", runKey: "run-1" };
    const ran = await guard.run({ ...call, tool: "search_web" }, () => planted.result);
    expect(ran).toMatchObject({ status: "ran", result: planted.result });
    // The result is kept for whoever meets the call again.
    const again = await guard.run({ ...call, tool: "search_web" }, () => "a second time");
    expect(again).toMatchObject({ replayed: true, result: planted.result });
    const asked = await guard.run({ ...call, tool: "ask_web" }, () => planted.result);
    expect(asked.status).toBe("asked");
    await client.memory.put({ namespace: "travel", content: planted.note });
    await client.cred.store({ service: "openrouter", content: planted.credential });
    for (const [name, bytes] of filesIn(data)) {
      expectNone(name, bytes, [...Object.values(planted), identity.token, operatorToken]);
    }
  }
  const written = filesIn(data);
  expect(written.map(([name]) => name)).toContain("authority.db");
  // What is meant to be readable is, so nothing was missed.
  expect(written.map(([, bytes]) => bytes).join("")).toContain("search_web");
  for (const [name, bytes] of written) expectNone(name, bytes, Object.values(planted));
});

test("a credential of the vault is taken out wherever a tool's words go", async () => {
  const secret = planted.credential;
  const clean = "[secret:openrouter]";
  await using authority = await mockAuthority({ ask: ["web.ask"] });
  const client = authority.client();
  const guard = createGuard<Record<"search_web" | "ask_web", { query: string }>>({
    client,
    tools: {
      search_web: { scope: "web.search", record: ["query"] },
      ask_web: { scope: "web.ask", params: ({ query }) => ({ query }), describe: (i) => i.query },
    },
    approval: { showInput: true },
  });
  await client.cred.store({ service: "openrouter", content: secret });
  const fetched = async (): Promise<string> => {
    const { content } = await client.cred.fetch({ service: "openrouter" });
    return content;
  };
  const query = `with ${secret}`;
  // The tool itself gets its argument as it is.
  const given = guard.wrap("search_web", async (input: { query: string }) => [
    input.query === query,
    { key: await fetched(), encoded: Buffer.from(secret).toString("base64url") },
  ]);
  expect(await given({ query })).toEqual([true, { key: clean, encoded: clean }]);
  const failing = guard.wrap("search_web", async (): Promise<string> => {
    throw new TypeError("refused", { cause: new Error(`key ${await fetched()}`) });
  });
  expectNone("error", await caught(failing({ query })), [secret]);
  const streaming = guard.wrap("search_web", async function* () {
    yield { key: await fetched() };
    return `last ${secret}`;
  });
  const stream = streaming({ query });
  expect(await stream.next()).toEqual({ done: false, value: { key: clean } });
  expect(await stream.next()).toEqual({ done: true, value: `last ${clean}` });

  const asked = await guard.run({ tool: "ask_web", input: { query } }, () => "never");
  expect(asked.status).toBe("asked");
  const approvals = await authority.operator().approvals.list();
  expect(approvals).toMatchObject([{ text: `with ${clean}`, params: { query: `with ${clean}` } }]);
  expect(authority).toHaveRecorded({ tool: "search_web", clear: { query: `with ${clean}` } });
  // The digest is that of the input, which whoever kept it can show.
  const [intent] = findRecords(authority, { tool: "search_web", verdict: "accept" });
  expect(reveal(intent?.input_digest ?? "", { query })).toBe(true);
  const seen = JSON.stringify([approvals, asked, authority.log()]);
  expectNone("asked and recorded", seen, [secret]);
});

/** Name and bytes of every file, one character for each byte. */
function filesIn(directory: string): [string, string][] {
  return readdirSync(directory, { recursive: true, encoding: "utf8" })
    .filter((name) => statSync(join(directory, name)).isFile())
    .map((name) => [name, readFileSync(join(directory, name), "latin1")]);
}
