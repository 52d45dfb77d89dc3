import fc from "fast-check";
import { afterEach, describe, expect, test, vi } from "vitest";
import { type AskingBooks, askingBooks, type FeedKind } from "../../test/asking-books.ts";
import {
  broken,
  canary,
  type Handler,
  hash,
  identity,
  type StandIn,
  standIn,
} from "../../test/stand-in.ts";
import { createClient } from "../client/client.ts";
import type { Client } from "../client/client-surface.ts";
import { createGuard } from "../guard/guard.ts";
import type { ApprovalRef, Guard, GuardOptions } from "../guard/guard-surface.ts";

const open: (StandIn | Client)[] = [];

afterEach(async () => {
  for (const started of open.splice(0)) await started.close();
});

interface Scene extends AskingBooks {
  server: StandIn;
  client: Client;
  guard: Guard;
}

type Options = Partial<GuardOptions> & { timeoutMs?: number; feed?: FeedKind };

async function scene({
  timeoutMs = 2000,
  feed = "live",
  ...options
}: Options = {}): Promise<Scene> {
  const books = askingBooks(feed);
  const server = await standIn(books.handlers);
  const client = createClient({ url: server.url, ...identity, timeoutMs });
  open.push(client, server);
  const tools = { mail: { scope: "mail.send" } };
  return { ...books, server, client, guard: createGuard({ client, tools, ...options }) };
}

const call = { tool: "mail", input: { to: "ann" }, callId: "c1" };
const waiting = { approval: { waitMs: 30_000 } };
const signalled = new Error("suspended");

function counting(): (() => string) & { ran: number } {
  const count = Object.assign(() => `ran ${++count.ran}`, { ran: 0 });
  return count;
}

const first = ({ approvals }: AskingBooks): string => [...approvals.keys()][0] ?? "";

describe("suspending", () => {
  test("the signal passes as it is: nothing ran, nothing ended, nothing withdrawn", async () => {
    const { guard, ends, withdrawn } = await scene(waiting);
    const tool = counting();
    const told: ApprovalRef[] = [];
    const suspend = async (approval: ApprovalRef): Promise<never> => {
      told.push(approval);
      throw signalled;
    };
    await expect(guard.run(call, tool, { suspend })).rejects.toBe(signalled);
    await expect(guard.open(call, { suspend })).rejects.toBe(signalled);
    await expect(guard.decide(call, { suspend })).rejects.toBe(signalled);
    expect(told).toHaveLength(3);
    expect(told[0]).toEqual({
      id: expect.stringMatching(/^apr_/),
      digest: expect.stringMatching(/^0x[0-9a-f]{64}$/),
      text: "run mail",
      call_id: "c1",
      expires_at: 2_000_000_000,
    });
    expect([tool.ran, ends, withdrawn]).toEqual([0, [], []]);
  });

  test("a resumed run asks again, suspends again while nobody has decided, and runs on yes", async () => {
    const made = await scene();
    const { guard, begins, decide } = made;
    const tool = counting();
    let suspended = 0;
    const suspend = (): void => {
      if (++suspended === 3) decide(first(made), "approved");
    };
    expect(await guard.run(call, tool, { suspend })).toEqual({ status: "ran", result: "ran 1" });
    expect(suspended).toBe(3);
    expect(begins.map(({ grant }) => grant)).toEqual([undefined, ...Array(3).fill(first(made))]);
    expect(new Set(begins.map(({ begin_id }) => begin_id)).size).toBe(4);
  });

  test("one that never really suspends is denied in the end", async () => {
    const { guard, withdrawn } = await scene();
    const tool = counting();
    const denial = await guard.run(call, tool, { suspend: () => undefined });
    expect(denial).toMatchObject({ status: "denied", code: "approval_pending" });
    expect(withdrawn).toHaveLength(1);
    expect(tool.ran).toBe(0);
  });

  test("a run that is aborted while it was suspended is over", async () => {
    const { guard, withdrawn, begins } = await scene();
    const run = new AbortController();
    const suspend = (): void => run.abort();
    const denial = await guard.run({ ...call, signal: run.signal }, counting(), { suspend });
    expect(denial).toMatchObject({ status: "denied", reason: "aborted" });
    await vi.waitFor(() => expect(withdrawn).toHaveLength(1));
    expect(begins).toHaveLength(1);
  });
});

type Change = (approval: Record<string, unknown>) => unknown;
const halves: [string, Change][] = [
  ...["id", "actor", "tool", "text", "text_digest", "digest", "policy_version", "status"].flatMap(
    (field): [string, Change][] => [
      [`no ${field}`, (approval) => ({ ...approval, [field]: undefined })],
      [`${field} of another kind`, (approval) => ({ ...approval, [field]: 7 })],
    ],
  ),
  ["a text", () => canary],
  ["a list", (approval) => [approval]],
  ["a decided one", (approval) => ({ ...approval, status: "approved" })],
  ["another text under the same digest", (approval) => ({ ...approval, text: canary })],
  ["another tool", (approval) => ({ ...approval, tool: "other" })],
  ["another call", (approval) => ({ ...approval, call_id: "c2" })],
  ["another digest", (approval) => ({ ...approval, digest: hash })],
  ["another scope", (approval) => ({ ...approval, scope: "payment.spend" })],
  ["an expiry that is no number", (approval) => ({ ...approval, expires_at: "soon" })],
];

test.each(halves)("an ask with %s is none", async (_, change) => {
  const { guard, server } = await scene(waiting);
  const begin = server.handlers["guard/begin"] as Handler;
  server.handlers["guard/begin"] = async (asked, response) => {
    const answer = (await begin(asked, response)) as { approval: Record<string, unknown> };
    return { ...answer, approval: change(answer.approval) };
  };
  const tool = counting();
  const suspend = vi.fn<(approval: ApprovalRef) => void>();
  const denial = await guard.run(call, tool, { suspend });
  expect(denial).toMatchObject({ status: "denied", code: "authority_unavailable" });
  expect(JSON.stringify(denial)).not.toContain(canary);
  expect(suspend).not.toHaveBeenCalled();
  expect(tool.ran).toBe(0);
});

test("an ask without an approval is a denial, whatever the guard could do", async () => {
  const { guard, server } = await scene(waiting);
  server.handlers["guard/begin"] = () => ({
    verdict: "ask_parent",
    scope: "mail.send",
    reason: "r",
    explanation: "",
    ticket: "",
    envelope_hash: hash,
  });
  const suspend = vi.fn<(approval: ApprovalRef) => void>();
  expect(await guard.run(call, counting(), { suspend })).toMatchObject({ status: "asked" });
  expect(suspend).not.toHaveBeenCalled();
});

describe("waiting", () => {
  const kinds: FeedKind[] = ["live", "hangs", "cut", "missing", "garbage", "silent", "lies"];

  test.each(kinds)("a feed that is %s: runs on yes, once", async (feed) => {
    const made = await scene({ ...waiting, feed, timeoutMs: 500 });
    const tool = counting();
    const running = made.guard.run(call, tool);
    await vi.waitFor(() => expect(made.approvals.size).toBe(1));
    await vi.waitFor(() => expect(made.feeds.opened).toBeGreaterThan(0));
    expect(tool.ran).toBe(0);
    made.decide(first(made), "approved");
    expect(await running).toEqual({ status: "ran", result: "ran 1" });
    expect(made.withdrawn).toEqual([]);
  });

  test.each(kinds)("a feed that is %s: time is up, nothing ran", async (feed) => {
    const made = await scene({ approval: { waitMs: 150 }, feed });
    const tool = counting();
    const denial = await made.guard.run(call, tool);
    expect(denial).toMatchObject({ status: "denied", code: "approval_pending" });
    expect(made.withdrawn).toEqual([first(made)]);
    expect(tool.ran).toBe(0);
    await vi.waitFor(() => expect(made.feeds.open.size).toBe(0));
  });

  test("many calls wait on one connection, which ends with the last", async () => {
    const made = await scene(waiting);
    const tool = counting();
    const running = Array.from({ length: 20 }, (_, n) =>
      made.guard.run({ ...call, callId: `c${n}` }, tool),
    );
    await vi.waitFor(() => expect(made.approvals.size).toBe(20));
    await vi.waitFor(() => expect(made.feeds.open.size).toBe(1));
    for (const id of made.approvals.keys()) made.decide(id, "approved");
    const results = await Promise.all(running);
    expect(results.every(({ status }) => status === "ran")).toBe(true);
    expect([tool.ran, made.feeds.opened]).toEqual([20, 1]);
    await vi.waitFor(() => expect(made.feeds.open.size).toBe(0));
  });

  test("an authority that is away for a while is waited for", async () => {
    const made = await scene({ ...waiting, timeoutMs: 300 });
    const tool = counting();
    const running = made.guard.run(call, tool);
    await vi.waitFor(() => expect(made.feeds.open.size).toBe(1));
    const begin = made.server.handlers["guard/begin"] as Handler;
    let away = 0;
    made.server.handlers["guard/begin"] = (asked, response) => {
      if (++away > 2) return begin(asked, response);
      return (broken["cut before the answer"] as Handler)(asked, response);
    };
    made.decide(first(made), "approved");
    expect(await running).toEqual({ status: "ran", result: "ran 1" });
    expect(away).toBe(3);
  });

  test("an authority that stays away is no reason to run", async () => {
    const made = await scene({ approval: { waitMs: 300 }, timeoutMs: 100 });
    const tool = counting();
    const running = made.guard.run(call, tool);
    await vi.waitFor(() => expect(made.feeds.open.size).toBe(1));
    for (const name of Object.keys(made.server.handlers)) {
      made.server.handlers[name] = broken["hang"] as Handler;
    }
    expect(await running).toMatchObject({ status: "denied", code: "approval_pending" });
    expect(tool.ran).toBe(0);
  });

  test("a policy that has changed meanwhile asks anew, and the new ask is waited for", async () => {
    const made = await scene(waiting);
    const tool = counting();
    const running = made.guard.run(call, tool);
    await vi.waitFor(() => expect(made.feeds.open.size).toBe(1));
    const old = first(made);
    made.approvals.delete(old);
    const grants: unknown[] = [];
    const begin = made.server.handlers["guard/begin"] as Handler;
    made.server.handlers["guard/begin"] = (asked, response) => {
      grants.push(asked.params["grant"]);
      return begin(asked, response);
    };
    for (const feed of made.feeds.open) feed.write("event: ready\ndata: {}\n\n");
    await vi.waitFor(() => expect(made.approvals.size).toBe(1));
    expect(first(made)).not.toBe(old);
    made.decide(first(made), "approved");
    expect(await running).toEqual({ status: "ran", result: "ran 1" });
    expect(new Set(grants)).toEqual(new Set([old, first(made)]));
  });

  test("wait: false waits for nobody, and a seam does not unless told to", async () => {
    const { guard, feeds } = await scene(waiting);
    expect(await guard.run(call, counting(), { wait: false })).toMatchObject({ status: "asked" });
    expect(await guard.decide(call)).toMatchObject({ status: "asked" });
    expect(feeds.opened).toBe(0);
    const run = new AbortController();
    const seam = guard.decide({ ...call, signal: run.signal }, { wait: true });
    await vi.waitFor(() => expect(feeds.open.size).toBe(1));
    run.abort();
    expect(await seam).toMatchObject({ status: "denied", reason: "aborted" });
  });

  test("whatever comes when: it runs once after a yes, and never otherwise", async () => {
    const made = await scene({ approval: { waitMs: 60 } });
    await fc.assert(
      fc.asyncProperty(
        fc.array(
          fc.record({
            what: fc.constantFrom("approved", "denied", "abort", "none"),
            afterMs: fc.integer({ min: 0, max: 90 }),
          }),
          { minLength: 1, maxLength: 6 },
        ),
        async (plans) => {
          made.approvals.clear();
          const stamp = Math.random();
          const results = await Promise.all(
            plans.map(async ({ what, afterMs }, n) => {
              const run = new AbortController();
              const tool = counting();
              const callId = `c${n} ${stamp}`;
              const running = made.guard.run({ ...call, callId, signal: run.signal }, tool);
              await new Promise((resolve) => setTimeout(resolve, afterMs));
              const asked = [...made.approvals.values()].find((one) => one.call_id === callId);
              const pending = asked?.status === "pending";
              if (what === "abort") run.abort();
              else if (what !== "none" && asked && pending) made.decide(asked.id, what);
              const { status } = await running;
              return { what, pending, status, ran: tool.ran };
            }),
          );
          const told = results.map(({ what, pending, status, ran }) => ({
            yes: what === "approved" && pending,
            ran,
            status: status === "ran",
          }));
          expect(told.filter(({ yes, ran }) => ran > (yes ? 1 : 0))).toEqual([]);
          expect(told.filter(({ ran, status }) => (ran === 1) !== status)).toEqual([]);
        },
      ),
      { numRuns: 25 },
    );
  });
});

describe("uncertain", () => {
  const ask = { onUncertain: "ask" } as const;
  const unknown = { tool: "unknown", input: {}, callId: "c1" };

  test("a tool without a row is asked about as such, by default it is refused", async () => {
    const { guard, begins, client } = await scene(ask);
    expect(await guard.run(unknown, counting())).toMatchObject({ status: "asked" });
    expect(begins[0]).toMatchObject({
      tool: "unknown",
      scope: null,
      uncertain: { reason: "unmapped_tool" },
    });
    expect(begins[0]).not.toHaveProperty("refused");
    const strict = createGuard({ client, tools: {} });
    expect(await strict.run(unknown, counting())).toMatchObject({ reason: "unmapped_tool" });
    expect(begins[1]).toMatchObject({ refused: { reason: "unmapped_tool" } });
  });

  test("an accept that no person stands behind is none", async () => {
    const { guard, server } = await scene(ask);
    const tool = counting();
    const accept = { verdict: "accept", scope: null, reason: "ok", explanation: "" };
    const facts = { ...accept, ticket: "t", envelope_hash: hash };
    server.handlers["guard/begin"] = () => facts;
    expect(await guard.run(unknown, tool)).toMatchObject({ code: "authority_unavailable" });
    server.handlers["guard/begin"] = () => ({ ...facts, approval: {} });
    expect(await guard.run(unknown, tool)).toMatchObject({ code: "authority_unavailable" });
    expect(tool.ran).toBe(0);
    server.handlers["guard/begin"] = () => ({ ...facts, approval: { id: "apr_1" } });
    expect(await guard.run(unknown, tool)).toMatchObject({ status: "ran" });
    server.handlers["guard/begin"] = () => ({ ...facts, reason: "remembered" });
    expect(await guard.run(unknown, tool)).toMatchObject({ status: "ran" });
  });

  test("an unknown word is asked about once; a second one denies", async () => {
    const { guard, server, begins, approvals } = await scene(ask);
    const begin = server.handlers["guard/begin"] as Handler;
    let words = 1;
    server.handlers["guard/begin"] = async (asked, response) => {
      const answer = (await begin(asked, response)) as object;
      return words-- > 0 ? { ...answer, verdict: "maybe" } : answer;
    };
    expect(await guard.run(call, counting())).toMatchObject({ status: "asked" });
    expect(begins[1]).toMatchObject({
      scope: "mail.send",
      uncertain: { reason: "unknown_verdict" },
    });
    expect(approvals.size).toBe(1);
    words = 9;
    expect(await guard.run(call, counting())).toMatchObject({ reason: "unknown_verdict" });
  });

  test.each(["mapping_failed", "input_not_copyable", "authority_unavailable"])(
    "%s is no uncertainty",
    async (code) => {
      const failing = (): never => {
        throw new Error(canary);
      };
      const { guard, server, begins } = await scene({
        ...ask,
        tools: { mail: { scope: "mail.send" }, fails: { scope: "s", params: failing } },
      });
      if (code === "authority_unavailable") {
        server.handlers["guard/begin"] = broken["a page"] as Handler;
      }
      const tool = code === "mapping_failed" ? "fails" : "mail";
      const input = code === "input_not_copyable" ? { a: new Map() } : {};
      const denial = await guard.run({ tool, input, callId: "c1" }, counting());
      expect(denial).toMatchObject({ status: "denied", reason: code });
      expect(begins.some((begun) => "uncertain" in begun)).toBe(false);
    },
  );

  test("a server that knows no approvals is never asked; it is refused there", async () => {
    const { guard, server } = await scene(ask);
    const checks: unknown[] = [];
    const events: unknown[] = [];
    delete server.handlers["guard/begin"];
    server.handlers["agentkeys.permission.check"] = ({ params }) => {
      checks.push(params);
      return { verdict: "ask_parent", reason: "r", explanation: "", scope: params["scope"] };
    };
    server.handlers["agentkeys.audit.append"] = ({ params }) => {
      events.push(params["event"]);
      return { ok: true, envelope_hash: hash };
    };
    const suspend = vi.fn<(approval: ApprovalRef) => void>();
    expect(await guard.run(unknown, counting(), { suspend })).toMatchObject({
      status: "denied",
      reason: "unmapped_tool",
    });
    expect(checks).toEqual([]);
    expect(await guard.run(call, counting(), { suspend })).toMatchObject({ status: "asked" });
    expect(suspend).not.toHaveBeenCalled();
    expect(events).toMatchObject([{ result: 2 }, { result: 2 }]);
  });
});

test("an authority without a method beside guard/begin is still one that begins", async () => {
  const { guard, server, client } = await scene();
  for (const method of ["guard/withdraw", "guard/approvals", "guard/forget"]) {
    delete server.handlers[method];
  }
  await guard.forget("r1");
  await guard.withdraw(call);
  await expect(client.approvals.list()).rejects.toMatchObject({ code: "method_not_found" });
  expect(await guard.run(call, counting(), { resumed: true })).toMatchObject({
    code: "approval_pending",
  });
  server.handlers["agentkeys.permission.check"] = () => ({ verdict: "accept" });
  expect(await guard.run(call, counting())).toMatchObject({ status: "asked" });
});

test.each([
  { onUncertain: "allow" },
  { approval: { waitMs: 0 } },
  { approval: { waitMs: Number.NaN } },
  { tools: { t: { scope: "s", describe: "text" } } },
  { tools: { t: { scope: "s", idempotent: "yes" } } },
])("the option %j could only mislead", async (options) => {
  const client = createClient(identity);
  expect(() => createGuard({ client, tools: {}, ...(options as object) })).toThrow(/expected|must/);
});
