import { appendFile, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { createClient, createGuard } from "@agentkeys/core";
import { answersRead, scriptedModel } from "@agentkeys/testing/openai-agents";
import { Agent, Runner, RunState, tool } from "@openai/agents";
import { z } from "zod";
import { withAgentKeys } from "../src/index.ts";

// One life of an agent's process: `ask` is killed while a person is being asked, `resume` goes on with the run. Where the
// authority is, and who this is, stands in the environment.
const [dir = "", step] = process.argv.slice(2);
const file = (name: string) => join(dir, name);

await using client = createClient();
const guard = createGuard({ client, tools: { mail: { scope: "mail.send" } } });
const mail = tool({
  name: "mail",
  description: "mails",
  parameters: z.object({}),
  execute: () => appendFile(file("ran"), "mail\n").then(() => "sent"),
});
const model = scriptedModel(step === "ask" ? [[{ name: "mail", input: {}, id: "m" }]] : ["done"]);
const agent = new Agent(withAgentKeys(guard, { name: "a", model, tools: [mail] }));
const runner = new Runner({ tracingDisabled: true });

if (step === "ask") {
  const { state } = await runner.run(agent, "go");
  await writeFile(file("state"), JSON.stringify(state));
  process.kill(process.pid, "SIGKILL");
}
const state = await RunState.fromString(agent, await readFile(file("state"), "utf8"));
console.log("ready");
await new Promise((go) => process.stdin.once("data", go));
for (const item of state.getInterruptions()) state.approve(item);
const { finalOutput } = await runner.run(agent, state);
console.log(answersRead(model)[0]?.text, finalOutput);
process.stdin.destroy();
