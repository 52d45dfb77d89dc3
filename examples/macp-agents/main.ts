// Agents of three frameworks in one Decision session: the coordination tools of a session are tools like any others. The
// models are scripted; each agent has a client, an identity and a session object of its own.
import assert from "node:assert/strict";
import { agentKeysTools as aiSdkTools } from "@agentkeys/ai-sdk";
// #region tools
import { agentKeysTools } from "@agentkeys/langchain";
import { coordinationTools } from "@agentkeys/macp";
import { createAgent } from "langchain";
// #endregion
import { createMacpClient, devAgent } from "@agentkeys/macp";
import { createRuntime } from "@agentkeys/macp/runtime";
import { agentKeysTools as mastraTools } from "@agentkeys/mastra";
import { scriptedModel } from "@agentkeys/testing/ai-sdk";
import { scriptedModel as scriptedChatModel } from "@agentkeys/testing/langchain";
import { Agent } from "@mastra/core/agent";
import type { MastraModelConfig } from "@mastra/core/llm";
import { ToolLoopAgent } from "ai";

await using runtime = createRuntime();
const clientOf = (name: string) => createMacpClient({ runtime, auth: devAgent(name) });
await using chairClient = clientOf("chair");
await using annClient = clientOf("ann");
await using bobClient = clientOf("bob");

await using session = await chairClient.decision.start({
  intent: "where to hold the offsite",
  participants: ["chair", "ann", "bob"],
  ttlMs: 60_000,
});
await using annSession = await annClient.decision.join(session.id);
await using bobSession = await bobClient.decision.join(session.id);

const about = { proposal_id: "lake" };
const call = (verb: string, input: object) => ({ name: `agentkeys_decision_${verb}`, input });

// LangChain.js: the chair proposes, and later commits.
const model = scriptedChatModel([
  [call("propose", { ...about, option: "a house by the lake", rationale: "quiet" })],
  "Proposed.",
  [call("status", {})],
  [
    call("commit", {
      action: "offsite.selected",
      authority_scope: "offsite",
      reason: "both voted for the lake",
    }),
  ],
  "The lake it is.",
]);
// #region tools

const chair = createAgent({ model, tools: agentKeysTools(coordinationTools(session)) });
// #endregion

// Vercel AI SDK: Ann looks, evaluates, and votes when she is asked to.
const ann = new ToolLoopAgent({
  model: scriptedModel([
    [call("status", {})],
    [call("evaluate", { ...about, recommendation: "APPROVE", confidence: 0.8, reason: "quiet" })],
    "Evaluated.",
    [call("vote", { ...about, vote: "APPROVE" })],
    "Voted.",
  ]),
  tools: aiSdkTools(coordinationTools(annSession)),
});

// Mastra: Bob evaluates after the first vote, reads that it is too late, and votes.
const bob = new Agent({
  id: "bob",
  name: "Bob",
  instructions: "You take part in a decision.",
  // Mastra's own copy of the AI SDK's types does not know them.
  model: scriptedModel([
    [call("evaluate", { ...about, recommendation: "REVIEW", confidence: 0.5 })],
    [call("vote", { ...about, vote: "APPROVE", reason: "too late to ask for another look" })],
    "Voted.",
  ]) as unknown as MastraModelConfig,
  tools: mastraTools(coordinationTools(bobSession), {
    only: ["decision_evaluate", "decision_vote"],
  }),
});

await chair.invoke({ messages: "Propose a place." });
await ann.generate({ prompt: "What do you think of the proposals?" });
await ann.generate({ prompt: "Vote." });
const { text } = await bob.generate("Say what you think of the proposals and vote.");
assert.equal(text, "Voted.");
const { messages } = await chair.invoke({ messages: "Commit to what was decided." });
assert.equal(messages.at(-1)?.text, "The lake it is.");
assert.match(messages.map((message) => message.text).join("\n"), /"majority_winner":"lake"/);

// What each has said reached the others, and the runtime knows who said what.
for (const theirs of [session, annSession, bobSession]) {
  const commitment = await theirs.until((projection) => projection.commitment);
  assert.equal(commitment.action, "offsite.selected");
}
assert.deepEqual(
  session.projection.transcript.map(({ sender, messageType }) => `${sender}: ${messageType}`),
  [
    "chair: SessionStart",
    "chair: Proposal",
    "ann: Evaluation",
    "ann: Vote",
    "bob: Vote",
    "chair: Commitment",
  ],
);
console.log("LangChain.js, the AI SDK and Mastra decided together: offsite.selected");
