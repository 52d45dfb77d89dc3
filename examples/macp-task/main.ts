// Task: a planner has a worker sum something up. Both reach the runtime over gRPC, as two processes would.
import assert from "node:assert/strict";
import { createParticipant } from "@agentkeys/macp/agent";
import { createMacpClient, devAgent } from "@agentkeys/macp/grpc";
import { createRuntime } from "@agentkeys/macp/runtime";

await using runtime = createRuntime();
const { target } = await runtime.listen({ allowInsecure: true }); // no TLS: this is one machine
const clientOf = (name: string) =>
  createMacpClient({ target, allowInsecure: true, auth: devAgent(name) });
await using planner = clientOf("planner");
await using worker = clientOf("worker");

async function sumUp(numbers: string): Promise<string> {
  const session = await planner.task.start({ participants: ["planner", "worker"], ttlMs: 60_000 });
  await using asked = session;
  await using working = await worker.task.join(asked.id);
  const work = createParticipant(working, {
    me: "worker",
    on: {
      TaskRequest: async ({ payload }, { session: mine }) => {
        const { taskId, input } = payload;
        await mine.acceptTask(taskId);
        const items = new TextDecoder().decode(input).split(" ");
        await mine.updateTask(taskId, { progress: 0.5, message: `${items.length} numbers` });
        const sum = items.reduce((total, item) => total + Number(item), 0);
        if (!Number.isNaN(sum)) return void (await mine.completeTask(taskId, { output: `${sum}` }));
        await mine.failTask(taskId, { errorCode: "NOT_A_NUMBER", retryable: true });
      },
    },
  }).run();

  await asked.requestTask("sum", "sum these up", {
    requestedAssignee: "worker",
    input: numbers,
  });
  await asked.until((p) => p.isCompleted() || p.isFailed());
  const { projection } = asked;
  assert.equal(projection.progressOf(), 0.5);
  const done = projection.isCompleted();
  await asked.commit({
    action: done ? "sum.completed" : "sum.failed",
    authorityScope: "sums",
    reason: "as reported",
  });
  assert.equal(await work, "resolved");
  assert.equal(projection.isPositiveOutcome, done);
  if (projection.isRetryable()) return sumUp(numbers.replaceAll(/[a-z]+/g, "0"));
  return new TextDecoder().decode(projection.getTask()?.completion?.output);
}

const sum = await sumUp("1 2 three 4");
assert.equal(sum, "7");
console.log(`failed once, then ${sum}`);
const states: string[] = [];
for await (const { state } of planner.listSessions()) states.push(state);
assert.deepEqual(states, ["RESOLVED", "RESOLVED"]);
