import { describe, expect, test } from "vitest";
import { begin, call, decide, handClock } from "../testdata/approvals.test-kit.ts";
import { actor, foreign, open, operator, otherOperator } from "../testdata/harness.test-kit.ts";

describe("a decision", () => {
  test.each([
    ["no digest", { digest: undefined }, 400],
    ["another digest", { digest: `0x${"00".repeat(32)}` }, 409],
    ["no reason", { reason: undefined }, 400],
    ["an empty reason", { reason: " " }, 400],
    ["a reason without end", { reason: "x".repeat(1001) }, 400],
    ["a name without end", { by: "x".repeat(201) }, 400],
    ["evidence that is none", { evidence: "trust me" }, 400],
    ["evidence without end", { evidence: { x: "x".repeat(5000) } }, 400],
  ])("with %s is refused, and the question waits on", async (_, fields, status) => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    expect((await decide(harness, "approve", approval, { fields })).status).toBe(status);
    expect((await begin(harness, call())).approval.status).toBe("pending");
    expect(await harness.records()).toHaveLength(1);
  });

  test("is taken once: the second is told of the first, by whom and when", async () => {
    const { clock } = handClock();
    const harness = await open({ clock });
    const { approval } = await begin(harness, call());
    await decide(harness, "deny", approval, { fields: { by: "alice", reason: "too dear" } });
    const second = await decide(harness, "approve", approval, { fields: { by: "bob" } });
    expect(second).toMatchObject({
      status: 409,
      reason: "already_decided",
      data: {
        outcome: "denied",
        approver: operator,
        by: "alice",
        reason: "too dear",
        at: clock() / 1000,
      },
    });
    expect(second.error).toMatch(/was denied by alice .* at 2027-.*Z: too dear$/);
    expect((await begin(harness, call())).reason).toBe("approval_denied");
  });

  test("from many places at once is one, and everybody else hears which", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, i) =>
        decide(harness, i % 2 === 0 ? "approve" : "deny", approval, { fields: { by: `p${i}` } }),
      ),
    );
    const won = answers.filter(({ status }) => status === 200);
    expect(won).toHaveLength(1);
    const first = won[0]?.approval?.decided;
    for (const { status, data } of answers.filter((answer) => answer !== won[0])) {
      expect(status).toBe(409);
      expect(data).toEqual(first);
    }
    expect(await harness.records()).toHaveLength(2);
  });

  test("that comes too late is told so, and the expiry is written down", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    const { approval } = await begin(harness, call());
    pass(900);
    const late = { status: 409, reason: "approval_expired" };
    expect(await decide(harness, "approve", approval)).toMatchObject(late);
    expect(await decide(harness, "deny", approval)).toMatchObject(late);
    const rows = await harness.records();
    expect(rows.map(({ body }) => body["outcome"] ?? body["verdict"])).toEqual([
      "ask_parent",
      "expired",
    ]);
  });

  test("of nothing is not found; without a token or without JSON it is refused", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const none = { id: "apr_00", digest: approval.digest };
    expect((await decide(harness, "approve", none)).status).toBe(404);
    for (const token of ["", "nope"]) {
      const init = { init: { token } };
      expect((await decide(harness, "approve", approval, init)).status).toBe(401);
    }
    const path = `/v1/approvals/${approval.id}/approve`;
    expect((await harness.http("POST", path, { token: "operator-tok", body: "x" })).status).toBe(
      400,
    );
    expect((await begin(harness, call())).approval.status).toBe("pending");
  });

  test("is never the agent's: its token is refused and that is recorded", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    for (const word of ["approve", "deny"] as const) {
      const init = { token: "demo-tok", as: actor };
      expect((await decide(harness, word, approval, { init })).status).toBe(403);
    }
    expect((await harness.records()).slice(1)).toMatchObject(
      ["approve", "deny"].map((word) => ({
        op: "access.denied",
        result: 2,
        actor,
        body: { what: `POST /v1/approvals/${approval.id}/${word}`, reason: "not_an_operator" },
      })),
    );
    expect((await begin(harness, call())).approval.status).toBe("pending");
  });

  test("is that operator's alone whose actor asks", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const init = { token: "other-operator-tok" };
    expect((await decide(harness, "approve", approval, { init })).status).toBe(403);
    expect((await harness.records()).at(-1)).toMatchObject({
      op: "access.denied",
      actor: otherOperator,
      body: { reason: "not_its_actor" },
    });
    expect((await begin(harness, call())).approval.status).toBe("pending");
  });

  test("keeps its evidence", async () => {
    const harness = await open();
    const { approval } = await begin(harness, call());
    const evidence = { session_id: "s1", commitment_hash: "0xab", tally: 3 };
    const decided = await decide(harness, "approve", approval, { fields: { evidence } });
    expect(decided.approval?.decided?.evidence).toEqual(evidence);
    expect((await harness.records())[1]?.body).toMatchObject({ evidence });
  });
});

describe("the list", () => {
  const ids = async (harness: Awaited<ReturnType<typeof open>>, query = "", init: object = {}) => {
    const given = { token: "operator-tok", ...init };
    const { status, text } = await harness.http("GET", `/v1/approvals${query}`, given);
    if (status !== 200) return status;
    return (JSON.parse(text) as { approvals: { call_id: string }[] }).approvals.map(
      ({ call_id }) => call_id,
    );
  };

  test("is in the order of asking, in pages, and by what is asked for", async () => {
    const harness = await open();
    const asked: Awaited<ReturnType<typeof begin>>[] = [];
    for (const call_id of ["a", "b", "c"]) asked.push(await begin(harness, call({ call_id })));
    const [first, second] = asked.map(({ approval }) => approval);
    await decide(harness, "deny", first ?? { id: "", digest: "" });
    expect(await ids(harness)).toEqual(["a", "b", "c"]);
    expect(await ids(harness, "?limit=1")).toEqual(["a"]);
    expect(await ids(harness, `?after=${second?.id}`)).toEqual(["c"]);
    expect(await ids(harness, "?after=apr_none")).toEqual([]);
    expect(await ids(harness, "?status=pending")).toEqual(["b", "c"]);
    expect(await ids(harness, "?call_id=b&tool=order_food&run_key=thread-1")).toEqual(["b"]);
    expect(await ids(harness, `?actor=${foreign}`)).toEqual([]);
    for (const limit of ["0", "1001", "x", ""])
      expect(await ids(harness, `?limit=${limit}`)).toBe(400);
  });

  test("shows an operator its actors', an agent its own, and nobody else anything", async () => {
    const harness = await open();
    await begin(harness, call());
    expect(await ids(harness, "", { token: "other-operator-tok" })).toEqual([]);
    expect(await ids(harness, "", { token: "demo-tok", as: actor })).toEqual(["call-1"]);
    const acme = { token: "acme-tok", as: foreign };
    expect(await ids(harness, "", acme)).toEqual([]);
    expect(await ids(harness, `?actor=${actor}`, acme)).toEqual([]);
    expect(await ids(harness, "", { token: "acme-tok", as: actor })).toBe(403);
    expect(await ids(harness, "", { token: "demo-tok" })).toBe(403);
    expect(await ids(harness, "", { token: "nope" })).toBe(401);
  });

  test("writes down what has expired", async () => {
    const { clock, pass } = handClock();
    const harness = await open({ clock });
    await begin(harness, call());
    pass(900);
    expect(await ids(harness, "?status=pending")).toEqual([]);
    expect(await ids(harness, "?status=expired")).toEqual(["call-1"]);
    expect(await harness.records()).toHaveLength(2);
  });
});

test("v1 knows nothing of this", async () => {
  const { http, rpc } = await open({ surface: "v1", bare: true });
  for (const path of ["/v1/approvals", "/v1/approvals/stream", "/v1/rules"]) {
    expect(await http("GET", path, { token: "operator-tok" })).toMatchObject({
      status: 404,
      text: "",
    });
  }
  for (const method of ["guard/withdraw", "guard/approvals", "guard/forget"]) {
    expect((await rpc(method, { actor })).error).toEqual({
      code: -32601,
      message: `method not found: ${method}`,
    });
  }
});
