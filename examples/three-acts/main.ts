// Three acts through a real agent loop in LangChain.js, the Vercel AI SDK and Mastra, each against an authority process.
import { aiSdkAgent } from "./ai-sdk.ts";
import { playActs } from "./acts.ts";
import { langchainAgent } from "./langchain.ts";
import { mastraAgent } from "./mastra.ts";
import { driver } from "./model.ts";
import { say } from "./transcript.ts";

say(
  driver === undefined
    ? "Scripted models drive the real agent loops; set ANTHROPIC_API_KEY or OPENAI_API_KEY for a real one."
    : `${driver.name} drives the agent loops.`,
);
const frameworks = {
  "LangChain.js": langchainAgent,
  "Vercel AI SDK": aiSdkAgent,
  Mastra: mastraAgent,
};
for (const [name, createAgent] of Object.entries(frameworks)) {
  say(`\n━━━ ${name} ━━━`, "act");
  const { records, allowed, refused } = await playActs(createAgent);
  say(
    `\naudit log: ${records} records, every hash recomputed; ${allowed} calls ran, each with intent and outcome; ${refused} refused`,
  );
}
say("\nDone: no note leaked, no order over the limit ran, nothing ran after the revocation.");
