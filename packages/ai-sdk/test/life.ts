import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, createGuard } from "@agentkeys/core";
import { answersRead, scriptedModel } from "@agentkeys/testing/ai-sdk";
import { type ModelMessage, tool, ToolLoopAgent } from "ai";
import { z } from "zod";
import { withAgentKeys } from "../src/index.ts";

// One life of an agent's process: `ask` is killed while a person is being asked, `resume` goes on with the messages. Where the
// authority is, and who this is, stands in the environment.
const [dir = "", step] = process.argv.slice(2);
const file = (name: string) => join(dir, name);

await using client = createClient();
const guard = createGuard({ client, tools: { mail: { scope: "mail.send" } } });
const mail = tool({
  inputSchema: z.object({}),
  execute: () => appendFile(file("ran"), "mail\n").then(() => "sent"),
});
const model = scriptedModel(step === "ask" ? [[{ name: "mail", input: {}, id: "m" }]] : ["done"]);
const agent = new ToolLoopAgent(withAgentKeys(guard, { model, tools: { mail } }, { tools: false }));

if (step === "ask") {
  const go: ModelMessage = { role: "user", content: "go" };
  const { content, responseMessages } = await agent.generate({ messages: [go] });
  const answers = content
    .filter((part) => part.type === "tool-approval-request")
    .map(({ approvalId }) => ({ type: "tool-approval-response", approvalId, approved: true }));
  const messages = [go, ...responseMessages, { role: "tool", content: answers }];
  await writeFile(file("messages"), JSON.stringify(messages));
  process.kill(process.pid, "SIGKILL");
}
const messages: ModelMessage[] = JSON.parse(await readFile(file("messages"), "utf8"));
console.log("ready");
await new Promise((go) => process.stdin.once("data", go));
const { text } = await agent.generate({ messages });
console.log(answersRead(model)[0]?.text, text);
process.stdin.destroy();
