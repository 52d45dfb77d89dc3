import { describe, expect, test } from "vitest";
import { createBench, policy } from "../kernel/kernel.test-kit.ts";

async function job(rules: object = {}, request: object = {}) {
  const bench = createBench();
  bench.kernel.policies.register(policy({ mode: "macp.mode.task.v1", rules }));
  const session = await bench.open("task", { policy: "policy.test" });
  const asked = { taskId: "t1", title: "build", ...request };
  expect(await session.say("coordinator", "TaskRequest", asked)).toBe("ok");
  return session;
}

async function accepted(rules: object = {}) {
  const session = await job(rules);
  expect(await session.say("alice", "TaskAccept", { taskId: "t1" })).toBe("ok");
  return session;
}

test("a task from request to commitment, in upstream's JSON", async () => {
  const session = await createBench().open("task");
  const { say, commit, modeState } = session;
  expect(await modeState()).toEqual({
    task: null,
    active_assignee: null,
    rejections: [],
    updates: [],
    terminal_report: null,
  });
  const request = {
    taskId: "t1",
    title: "build",
    instructions: "it",
    requestedAssignee: "alice",
    input: Uint8Array.of(7),
    deadlineUnixMs: 5n,
  };
  expect(await say("coordinator", "TaskRequest", request)).toBe("ok");
  expect(await say("alice", "TaskAccept", { taskId: "t1", assignee: "alice" })).toBe("ok");
  const update = {
    taskId: "t1",
    status: "half",
    progress: 0.5,
    message: "m",
    partialOutput: Uint8Array.of(1),
  };
  expect(await say("alice", "TaskUpdate", update)).toBe("ok");
  const done = { taskId: "t1", assignee: "alice", output: Uint8Array.of(2), summary: "s" };
  expect(await say("alice", "TaskComplete", done)).toBe("ok");
  expect(await commit("coordinator", "task.completed")).toBe("ok Resolved");
  expect(await modeState()).toEqual({
    task: {
      task_id: "t1",
      title: "build",
      instructions: "it",
      requested_assignee: "alice",
      input: [7],
      deadline_unix_ms: 5,
      requester: "coordinator",
    },
    active_assignee: "alice",
    rejections: [],
    updates: [
      {
        task_id: "t1",
        status: "half",
        progress: 0.5,
        message: "m",
        partial_output: [1],
        sender: "alice",
      },
    ],
    terminal_report: { Complete: { task_id: "t1", assignee: "alice", output: [2], summary: "s" } },
  });
});

describe("a session", () => {
  test.each([
    [["coordinator"], "InvalidPayload"],
    [["alice"], "ok"],
    [["coordinator", "alice"], "ok"],
  ])("of %o", async (participants, expected) => {
    expect((await createBench().open("task", { participants })).started).toBe(expected);
  });
});

describe("the request", () => {
  const ask = async (sender: string, payload: object) =>
    (await createBench().open("task")).say(sender, "TaskRequest", payload);

  test("is the initiator's, who need not be a participant", async () => {
    expect(await ask("alice", { taskId: "t1" })).toBe("Forbidden");
    const outside = await createBench().open("task", { participants: ["alice"] });
    expect(await outside.say("coordinator", "TaskRequest", { taskId: "t1" })).toBe("ok");
  });
  test.each([
    ["without an id", { taskId: "" }],
    ["for a stranger", { taskId: "t1", requestedAssignee: "mallory" }],
  ])("%s is refused", async (_, payload) => {
    expect(await ask("coordinator", payload)).toBe("InvalidPayload");
  });
  test("is one", async () => {
    const { say } = await job();
    expect(await say("coordinator", "TaskRequest", { taskId: "t2" })).toBe("InvalidPayload");
  });
  test("comes first", async () => {
    const { say, commit } = await createBench().open("task");
    expect(await say("alice", "TaskAccept", { taskId: "t1" })).toBe("InvalidPayload");
    expect(await say("alice", "TaskAccept", { taskId: "" })).toBe("InvalidPayload");
    expect(await say("alice", "TaskReject", { taskId: "t1" })).toBe("InvalidPayload");
    expect(await say("alice", "TaskUpdate", { taskId: "t1" })).toBe("InvalidPayload");
    expect(await say("alice", "TaskComplete", { taskId: "t1" })).toBe("InvalidPayload");
    expect(await commit("coordinator", "task.completed")).toBe("InvalidPayload");
  });
});

describe("an acceptance", () => {
  test("is any participant's but the initiator's", async () => {
    const { say } = await job();
    expect(await say("coordinator", "TaskAccept", { taskId: "t1" })).toBe("Forbidden");
    expect(await say("mallory", "TaskAccept", { taskId: "t1" })).toBe("Forbidden");
    expect(await say("bob", "TaskAccept", { taskId: "t1" })).toBe("ok");
  });
  test("is the requested assignee's where one is", async () => {
    const { say } = await job({}, { requestedAssignee: "alice" });
    expect(await say("bob", "TaskAccept", { taskId: "t1" })).toBe("Forbidden");
    expect(await say("alice", "TaskAccept", { taskId: "t1" })).toBe("ok");
  });
  test("even the initiator's, where that is the one requested", async () => {
    const { say } = await job({}, { requestedAssignee: "coordinator" });
    expect(await say("coordinator", "TaskAccept", { taskId: "t1" })).toBe("ok");
  });
  test("speaks for its sender, of the task, once", async () => {
    const { say } = await job();
    expect(await say("alice", "TaskAccept", { taskId: "t1", assignee: "bob" })).toBe(
      "InvalidPayload",
    );
    expect(await say("alice", "TaskAccept", { taskId: "t2" })).toBe("InvalidPayload");
    expect(await say("alice", "TaskAccept", { taskId: "t1" })).toBe("ok");
    expect(await say("bob", "TaskAccept", { taskId: "t1" })).toBe("InvalidPayload");
  });
});

describe("a rejection", () => {
  const reassigned = { assignment: { allow_reassignment_on_reject: true } };

  test("is one for each sender, and speaks for its sender", async () => {
    const { say } = await job();
    expect(await say("alice", "TaskReject", { taskId: "t1", assignee: "bob" })).toBe(
      "InvalidPayload",
    );
    expect(await say("alice", "TaskReject", { taskId: "t2" })).toBe("InvalidPayload");
    expect(await say("coordinator", "TaskReject", { taskId: "t1" })).toBe("Forbidden");
    expect(await say("alice", "TaskReject", { taskId: "t1" })).toBe("ok");
    expect(await say("alice", "TaskReject", { taskId: "t1" })).toBe("InvalidPayload");
    expect(await say("bob", "TaskReject", { taskId: "t1" })).toBe("ok");
  });
  test("lets nobody else accept unless the policy does", async () => {
    const strict = await job();
    await strict.say("alice", "TaskReject", { taskId: "t1" });
    expect(await strict.say("bob", "TaskAccept", { taskId: "t1" })).toBe("PolicyDenied");
    const lenient = await job(reassigned);
    await lenient.say("alice", "TaskReject", { taskId: "t1" });
    expect(await lenient.say("bob", "TaskAccept", { taskId: "t1" })).toBe("ok");
  });
  test("by who has accepted needs the policy, and frees the task", async () => {
    const strict = await accepted();
    expect(await strict.say("bob", "TaskReject", { taskId: "t1" })).toBe("InvalidPayload");
    expect(await strict.say("alice", "TaskReject", { taskId: "t1" })).toBe("PolicyDenied");
    const lenient = await accepted(reassigned);
    expect(await lenient.say("alice", "TaskReject", { taskId: "t1", reason: "ill" })).toBe("ok");
    expect(await lenient.modeState()).toMatchObject({
      active_assignee: null,
      rejections: [{ task_id: "t1", assignee: "alice", reason: "ill" }],
    });
    expect(await lenient.say("bob", "TaskAccept", { taskId: "t1" })).toBe("ok");
  });
});

describe("reports", () => {
  test.each(["TaskUpdate", "TaskComplete", "TaskFail"] as const)(
    "%s is the assignee's",
    async (type) => {
      const { say } = await accepted();
      expect(await say("bob", type, { taskId: "t1" })).toBe("Forbidden");
      expect(await say("mallory", type, { taskId: "t1" })).toBe("Forbidden");
      expect(await say("alice", type, { taskId: "t2" })).toBe("InvalidPayload");
      expect(await say("alice", type, { taskId: "t1" })).toBe("ok");
    },
  );
  test.each(["TaskComplete", "TaskFail"] as const)(
    "%s speaks for its sender and is the last",
    async (type) => {
      const { say } = await accepted();
      expect(await say("alice", type, { taskId: "t1", assignee: "bob" })).toBe("InvalidPayload");
      expect(await say("alice", type, { taskId: "t1", assignee: "alice" })).toBe("ok");
      for (const next of ["TaskUpdate", "TaskComplete", "TaskFail"] as const) {
        expect(await say("alice", next, { taskId: "t1" })).toBe("Forbidden");
      }
    },
  );
  test.each([-1, 0.5, 250])("progress %d is fine: it has no range", async (progress) => {
    expect(await (await accepted()).say("alice", "TaskUpdate", { taskId: "t1", progress })).toBe(
      "ok",
    );
  });
  test.each([Number.NaN, Infinity])(
    "progress %d is refused and leaves the session alive",
    async (progress) => {
      const { say } = await accepted();
      expect(await say("alice", "TaskUpdate", { taskId: "t1", progress })).toBe("InvalidPayload");
      expect(await say("alice", "TaskComplete", { taskId: "t1" })).toBe("ok");
    },
  );
  test("none before an acceptance", async () => {
    expect(await (await job()).say("alice", "TaskUpdate", { taskId: "t1" })).toBe("Forbidden");
  });
});

describe("a commitment", () => {
  const output = { completion: { require_output: true } };
  test("comes after the last report", async () => {
    const { commit } = await accepted();
    expect(await commit("coordinator", "task.completed")).toBe("InvalidPayload");
  });
  test("may be positive after a failure", async () => {
    const { say, commit, modeState } = await accepted();
    const failure = { taskId: "t1", errorCode: "E1", reason: "r", retryable: true };
    await say("alice", "TaskFail", failure);
    expect(await modeState()).toMatchObject({
      terminal_report: {
        Fail: { task_id: "t1", assignee: "alice", error_code: "E1", reason: "r", retryable: true },
      },
    });
    expect(await commit("coordinator", "task.completed")).toBe("ok Resolved");
  });
  test("without output is denied where the policy wants one, unless it is negative", async () => {
    const empty = await accepted(output);
    await empty.say("alice", "TaskComplete", { taskId: "t1" });
    expect(await empty.commit("coordinator", "task.completed")).toBe("PolicyDenied");
    expect(await empty.commit("coordinator", "task.failed")).toBe("ok Resolved");
    const full = await accepted(output);
    await full.say("alice", "TaskComplete", { taskId: "t1", output: Uint8Array.of(1) });
    expect(await full.commit("coordinator", "task.completed")).toBe("ok Resolved");
  });
});
