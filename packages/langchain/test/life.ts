import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { deserialize, serialize } from "node:v8";
import { createClient, createGuard } from "@agentkeys/core";
import { scriptedModel } from "@agentkeys/testing/langchain";
import { Command, MemorySaver } from "@langchain/langgraph";
import { createAgent, tool } from "langchain";
import { z } from "zod";
import { withAgentKeys } from "../src/index.ts";

// One life of an agent's process: `ask` is killed while a person is being asked, `resume` goes on with the thread. Where the
// authority is, and who this is, stands in the environment.
const [dir = "", step] = process.argv.slice(2);
const file = (name: string) => join(dir, name);

await using client = createClient();
const guard = createGuard({ client, tools: { mail: { scope: "mail.send" } } });
const mail = tool(() => appendFile(file("ran"), "mail\n").then(() => "sent"), {
  name: "mail",
  description: "mails",
  schema: z.object({}),
});
const saver = new MemorySaver();
const saved = await readFile(file("thread")).catch(() => undefined);
if (saved !== undefined) Object.assign(saver, deserialize(saved));
const turns = [[{ name: "mail", input: {}, id: "m" }], "done"] as const;
const model = scriptedModel(step === "ask" ? turns : [turns[1]]);
const agent = createAgent(
  withAgentKeys(guard, { model, tools: [mail], checkpointer: saver }, { tools: false }),
);
const thread = { configurable: { thread_id: "t" } };

if (step === "ask") {
  await agent.invoke({ messages: "go" }, thread);
  const { storage, writes } = saver;
  await writeFile(file("thread"), serialize({ storage, writes }));
  process.kill(process.pid, "SIGKILL");
}
console.log("ready");
await new Promise((go) => process.stdin.once("data", go));
const { messages } = await agent.invoke(new Command({ resume: true }), thread);
console.log(messages.map(({ text }) => text).join("|"));
process.stdin.destroy();
