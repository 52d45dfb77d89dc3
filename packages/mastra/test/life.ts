import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, createGuard } from "@agentkeys/core";
import { scriptedModel } from "@agentkeys/testing/mastra";
import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { InMemoryStore } from "@mastra/core/storage";
import { createTool } from "@mastra/core/tools";
import { z } from "zod";
import { withAgentKeys } from "../src/index.ts";

// One life of an agent's process: `ask` is killed while a person is being asked, `resume` goes on with the run. Where the
// authority is, and who this is, stands in the environment.
const [dir = "", step] = process.argv.slice(2);
const file = (name: string) => join(dir, name);

await using client = createClient();
const guard = createGuard({ client, tools: { mail: { scope: "mail.send" } } });
const mail = createTool({
  id: "mail",
  description: "mails",
  // What a suspended run stores is the model's text, not what comes of it.
  inputSchema: z.object({ at: z.string().transform((at) => `${at}!`) }),
  execute: ({ at }) => appendFile(file("ran"), `mail ${at}\n`).then(() => "sent"),
});
const turns = [[{ name: "mail", input: { at: "noon" }, id: "m" }], "done"] as const;
const model = scriptedModel(step === "ask" ? turns : [turns[1]]);
const config = { id: "a", name: "a", instructions: "i", model, tools: { mail } };
const agent = new Agent(withAgentKeys(guard, config, { tools: false }));
const storage = new InMemoryStore();
void new Mastra({ agents: { agent }, storage, logger: false });
const workflows = await storage.getStore("workflows");

if (step === "ask") {
  const { runId, suspendPayload } = await agent.generate("go");
  const kept = { runId, suspendPayload, ...(await workflows?.listWorkflowRuns()) };
  await writeFile(file("runs"), JSON.stringify(kept));
  process.kill(process.pid, "SIGKILL");
}
const { runs, runId, suspendPayload } = JSON.parse(await readFile(file("runs"), "utf8"));
for (const run of runs) await workflows?.persistWorkflowSnapshot(run);
console.log("ready");
await new Promise((go) => process.stdin.once("data", go));
const { toolCallId } = suspendPayload;
const { text, toolResults } = await agent.approveToolCallGenerate({ runId, toolCallId });
console.log(text, JSON.stringify(toolResults.map(({ payload }) => payload.result)));
process.stdin.destroy();
