import { createGuard } from "@agentkeys/core";
import { mockAuthority } from "@agentkeys/testing";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { InMemoryStore } from "@mastra/core/storage";
import { createTool } from "@mastra/core/tools";
import { expect, test } from "vitest";
import { z } from "zod";
import { withAgentKeys } from "./index.ts";

test("an approval is as good for a run of megabytes as for a short one", async () => {
  await using authority = await mockAuthority({ ask: ["mail.send"] });
  const guard = createGuard({
    client: authority.client(),
    tools: { read: { scope: "files.read" }, mail: { scope: "mail.send" } },
  });
  const sent: string[] = [];
  const tools = {
    read: createTool({ id: "read", description: "reads", execute: async () => "x".repeat(2e6) }),
    mail: createTool({
      id: "mail",
      description: "mails",
      inputSchema: z.object({ to: z.string() }),
      execute: async ({ to }) => sent.push(to),
    }),
  };
  const storage = new InMemoryStore();
  const start = (script: Parameters<typeof scriptedModel>[0]) => {
    const config = { id: "a", name: "a", instructions: "i", model: scriptedModel(script), tools };
    const agent = new Agent(withAgentKeys(guard, config, { tools: false }));
    void new Mastra({ agents: { agent }, storage, logger: false });
    return agent;
  };
  const script = [[{ name: "read", input: {} }], [{ name: "mail", input: { to: "ann" } }], "done"];
  const { runId = "", suspendPayload } = await start(script).generate("go");
  const workflows = await storage.getStore("workflows");
  const saved = JSON.stringify(await workflows?.listWorkflowRuns());
  expect(saved.length).toBeGreaterThan(2e6);
  const { approvals } = authority.operator();
  for (const asked of await approvals.list()) await approvals.approve(asked, { reason: "fine" });
  const { toolCallId } = suspendPayload as { toolCallId: string };
  const { text } = await start(["done"]).approveToolCallGenerate({ runId, toolCallId });
  expect(text).toBe("done");
  expect(sent).toEqual(["ann"]);
});
