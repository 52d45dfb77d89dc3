import { describe, expect, test } from "vitest";
import { createBench, policy } from "../kernel/kernel.test-kit.ts";

const two = { participants: ["alice", "bob"] };
const text = (json: string) => new TextEncoder().encode(json);

async function agreed() {
  const session = await createBench().open("multiRound", two);
  await session.say("alice", "Contribute", { value: "a" });
  await session.say("bob", "Contribute", { value: "a" });
  return session;
}

test("values converge round by round, and the resolution says on what", async () => {
  const session = await createBench().open("multiRound", two);
  const { say, commit, modeState } = session;
  expect(await say("alice", "Contribute", { value: "a" })).toBe("ok");
  expect(await say("bob", "Contribute", { value: "b" })).toBe("ok");
  expect(await say("bob", "Contribute", { value: "b" })).toBe("ok");
  expect(await modeState()).toEqual({
    round: 2,
    participants: ["alice", "bob"],
    contributions: { alice: "a", bob: "b" },
    convergence_type: "all_equal",
    converged: false,
  });
  expect(await commit("coordinator", "multi_round.converged")).toBe("InvalidPayload");
  expect(await say("bob", "Contribute", { value: "a" })).toBe("ok");
  expect(await modeState()).toMatchObject({ round: 3, converged: true });
  expect(await commit("coordinator", "multi_round.converged")).toBe("ok Resolved");
  const resolution = new TextDecoder().decode(await session.resolution());
  expect(JSON.parse(resolution)).toEqual({
    converged_value: "a",
    round: 3,
    final: { alice: "a", bob: "a" },
  });
});

describe("a contribution", () => {
  test("is a participant's, and the initiator need not be one", async () => {
    const { say } = await createBench().open("multiRound", two);
    expect(await say("coordinator", "Contribute", { value: "a" })).toBe("Forbidden");
  });
  test("comes before convergence", async () => {
    expect(await (await agreed()).say("alice", "Contribute", { value: "b" })).toBe(
      "InvalidPayload",
    );
  });
  test("may be the JSON of older clients", async () => {
    const { raw, modeState } = await createBench().open("multiRound", two);
    expect(await raw("alice", "Contribute", text('{"value":"a"}'))).toMatchObject({ ok: true });
    expect(await modeState()).toMatchObject({ contributions: { alice: "a" } });
  });
  test.each([
    ["empty", new Uint8Array()],
    ["no protobuf", Uint8Array.of(0xff, 0xff)],
    ["JSON without a value", text('{"valu":"a"}')],
    ["JSON of another type", text('{"value":1}')],
  ])("that is %s is refused", async (_, bytes) => {
    const { raw } = await createBench().open("multiRound", two);
    expect(await raw("alice", "Contribute", bytes)).toMatchObject({ variant: "InvalidPayload" });
  });
});

describe("the commitment", () => {
  test("is the initiator's, whatever the policy says", async () => {
    const bench = createBench();
    const commitment = { authority: "any_participant" };
    bench.kernel.policies.register(policy({ rules: { commitment } }));
    const { say, commit } = await bench.open("multiRound", { ...two, policy: "policy.test" });
    await say("alice", "Contribute", { value: "a" });
    await say("bob", "Contribute", { value: "a" });
    expect(await commit("alice", "multi_round.converged")).toBe("Forbidden");
    expect(await commit("coordinator", "multi_round.converged")).toBe("ok Resolved");
  });
  test("is checked like every other", async () => {
    const { commit } = await agreed();
    const other = { versions: { mode: "2.0.0" } };
    expect(await commit("coordinator", "multi_round.converged", other)).toBe("InvalidPayload");
  });
});

test("a session needs participants", async () => {
  expect((await createBench().open("multiRound", { participants: [] })).started).toBe(
    "InvalidPayload",
  );
});

test("other messages are refused", async () => {
  const { raw } = await createBench().open("multiRound", two);
  expect(await raw("alice", "Vote", new Uint8Array())).toMatchObject({ variant: "InvalidPayload" });
});
