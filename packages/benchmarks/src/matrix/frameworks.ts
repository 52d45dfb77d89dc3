import { aiSdk } from "./ai-sdk/plays.ts";
import { claudeAgentSdk } from "./claude-agent-sdk/plays.ts";
import { langchain } from "./langchain/plays.ts";
import { mastra } from "./mastra/plays.ts";
import { openaiAgents } from "./openai-agents/plays.ts";
import type { Plays } from "./play.ts";

/** In the order of the page's columns. */
export const frameworks: readonly Plays[] = [
  langchain,
  aiSdk,
  mastra,
  openaiAgents,
  claudeAgentSdk,
];
