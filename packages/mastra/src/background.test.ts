import { createGuard } from "@agentkeys/core";
import { mockAuthority } from "@agentkeys/testing";
import type { ScriptedCall } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import type { BackgroundTask, ToolBackgroundConfig } from "@mastra/core/background-tasks";
import { InMemoryStore } from "@mastra/core/storage";
import { createTool } from "@mastra/core/tools";
import { expect, onTestFinished, test, vi } from "vitest";
import { z } from "zod";
import { withAgentKeys } from "./index.ts";

const at = "2030-01-02T03:04:05.000Z";

/** A run that hands its one call to the background and ends; `settled` is the task, once it stands still. */
async function play(tool: string, config: ToolBackgroundConfig = {}) {
  const authority = await mockAuthority({ ask: ["mail.send"], deny: ["files.delete"] });
  const guard = createGuard({
    client: authority.client(),
    tools: {
      mail: { scope: "mail.send" },
      wipe: { scope: "files.delete" },
      fail: { scope: "web.search" },
    },
  });
  const ran: unknown[] = [];
  const noting = (id: string) =>
    createTool({
      id,
      description: "d",
      inputSchema: z.object({ at: z.coerce.date() }),
      background: { enabled: true, ...config },
      execute: async (input, { agent }) => {
        ran.push([input, agent?.resumeData]);
        if (id === "fail") throw new Error("failed");
        return `${id} done`;
      },
    });
  const call: ScriptedCall = { name: tool, input: { at }, id: "b" };
  const tools = { mail: noting("mail"), wipe: noting("wipe"), fail: noting("fail") };
  const model = scriptedModel([[call], "done"]);
  const agent = new Agent(
    withAgentKeys(guard, { id: "a", name: "a", instructions: "i", model, tools }, { tools: false }),
  );
  const mastra = new Mastra({
    agents: { agent },
    storage: new InMemoryStore(),
    logger: false,
    backgroundTasks: { enabled: true },
  });
  onTestFinished(async () => {
    await mastra.shutdown();
    await authority.close();
  });
  await mastra.startWorkers();
  const { text } = await agent.generate("go");
  expect(text).toBe("done");
  const manager = mastra.backgroundTaskManager!;
  const settled = (status: BackgroundTask["status"]) =>
    vi.waitFor(async () => {
      const { tasks } = await manager.listTasks({});
      expect(tasks.map((task) => task.status)).toEqual([status]);
      return tasks[0]!;
    }, 5000);
  const verdicts = () => authority.log().flatMap(({ op_body: { verdict } }) => verdict ?? []);
  return { authority, manager, ran, settled, verdicts };
}

const denied = (reason: string) => ({ message: expect.stringContaining(reason) as string });

test("a call in the background is decided on when it runs, once", async () => {
  const { ran, settled, verdicts } = await play("wipe");
  expect((await settled("completed")).result).toMatchObject(denied("scope_forbidden"));
  expect(ran).toEqual([]);
  expect(verdicts()).toEqual(["deny"]);
});

test("one that asks is suspended, and resumed it runs once", async () => {
  const { authority, manager, ran, settled, verdicts } = await play("mail");
  const { id, suspendPayload } = await settled("suspended");
  expect(suspendPayload).toMatchObject({ approval: { text: expect.stringContaining("mail") } });
  expect(ran).toEqual([]);
  authority.approveAll();
  await manager.resume(id, { approved: true });
  expect((await settled("completed")).result).toBe("mail done");
  expect(ran).toEqual([[{ at: new Date(at) }, undefined]]);
  expect(verdicts()).toEqual(["ask_parent", "accept"]);
});

test("resumed with a no, or before anybody has decided, it does not run", async () => {
  const answers = [
    { approved: false, reason: "declined" },
    { approved: true, reason: "approval_pending" },
  ];
  for (const { approved, reason } of answers) {
    const { authority, manager, ran, settled } = await play("mail");
    const { id } = await settled("suspended");
    if (!approved) authority.approveAll();
    await manager.resume(id, { approved });
    expect((await settled("completed")).result).toMatchObject(denied(reason));
    expect(ran).toEqual([]);
  }
});

test("a task that is run again is the same call: it may have done half of its work", async () => {
  const { ran, settled } = await play("fail", { maxRetries: 1 });
  expect((await settled("completed")).result).toMatchObject(denied("already_executed"));
  expect(ran).toHaveLength(1);
});
