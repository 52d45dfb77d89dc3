import { Agent, fetch } from "undici";
import { afterAll, describe, expect, onTestFinished, test } from "vitest";
import { approved, begin, call, end } from "../testdata/approvals.test-kit.ts";
import { actor, type Harness, open } from "../testdata/harness.test-kit.ts";

/** Clients with a connection each. */
const CLIENTS = 40;
const connections = new Agent({ connections: CLIENTS, pipelining: 1 });
afterAll(() => connections.close());

interface Answer {
  verdict: string;
  reason: string;
  ticket: string;
  executed?: { result: unknown };
}

/** Over a socket, as separate processes would ask. */
async function listening(): Promise<{
  harness: Harness;
  post: (params: object) => Promise<Answer>;
}> {
  const harness = await open();
  const { url } = await harness.authority.listen();
  onTestFinished(() => harness.authority.close());
  const post = async (params: object): Promise<Answer> => {
    const answer = await fetch(url, {
      method: "POST",
      dispatcher: connections,
      headers: {
        authorization: "Bearer demo-tok",
        "x-agentkeys-actor": actor,
        "content-type": "application/json",
      },
      body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "guard/begin", params }),
    });
    return ((await answer.json()) as { result: Answer }).result;
  };
  return { harness, post };
}

const times = <T>(make: () => Promise<T>) => Promise.all(Array.from({ length: CLIENTS }, make));

describe("many at the same moment", () => {
  test("use a grant once; the others learn that it is under way", async () => {
    const { harness, post } = await listening();
    for (const run_key of ["thread-1", undefined]) {
      await approved(harness, { run_key });
      const answers = await times(() => post(call({ run_key })));
      const ran = answers.filter(({ verdict }) => verdict === "accept");
      expect(ran).toMatchObject([{ reason: "approved" }]);
      for (const { verdict, reason } of answers.filter((answer) => answer !== ran[0])) {
        expect([verdict, reason]).toEqual(["deny", "outcome_unknown"]);
      }
      const [first] = ran;
      if (first !== undefined) await end(harness, first, { result: "eaten" });
      const later = await times(() => post(call({ run_key })));
      expect(new Set(later.map(({ ticket }) => ticket))).toEqual(new Set([""]));
      expect(new Set(later.map(({ executed }) => executed?.result))).toEqual(new Set(["eaten"]));
    }
  });

  test("ask one question", async () => {
    const { harness, post } = await listening();
    await times(() => post(call()));
    const { approval } = await begin(harness, call());
    expect(approval.status).toBe("pending");
    expect(await harness.records()).toHaveLength(1);
  });

  test("begin an allowed call once", async () => {
    const { harness, post } = await listening();
    const answers = await times(() => post(call({ params: { amount_rmb: 200 } })));
    expect(answers.filter(({ verdict }) => verdict === "accept")).toHaveLength(1);
    const intents = (await harness.records()).filter(({ result }) => result === 0);
    expect(intents).toHaveLength(1);
  });

  test("resume after a suspension once", async () => {
    const { harness, post } = await listening();
    await approved(harness);
    for (let round = 0; round < 3; round++) {
      const answers = await times(() => post(call()));
      const ran = answers.filter(({ verdict }) => verdict === "accept");
      expect(ran).toHaveLength(1);
      for (const begun of ran) await end(harness, begun, { outcome: "suspended" });
    }
  });

  test("withdraw and use: one of both", async () => {
    const { harness, post } = await listening();
    for (let round = 0; round < 20; round++) {
      const call_id = `call-${round}`;
      const { id } = await approved(harness, { call_id });
      const [withdrawn, ran] = await Promise.all([
        harness.rpc("guard/withdraw", { actor, approval: id }),
        post(call({ call_id })),
      ]);
      expect(withdrawn.error === undefined).toBe(ran.verdict !== "accept");
    }
  });

  test("revoke the actor and use the grant: nothing begins after the revocation is written", async () => {
    const { harness, post } = await listening();
    await approved(harness);
    const json = { reason: "lost phone" };
    await Promise.all([
      ...Array.from({ length: CLIENTS }, () => post(call())),
      harness.http("POST", `/v1/actors/${actor}/revoke`, { token: "operator-tok", json }),
    ]);
    const ops = (await harness.records()).map(({ op, result }) => `${op} ${result}`);
    const ran = ops.lastIndexOf("guard.intent 0");
    expect(ran).toBeLessThan(ops.indexOf("scope.revoke 0"));
  });
});
