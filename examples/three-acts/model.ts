import { createAnthropic } from "@ai-sdk/anthropic";
import { createOpenAI } from "@ai-sdk/openai";
import { scriptedModel as scriptedSdkModel } from "@agentkeys/testing/ai-sdk";
import { scriptedModel as scriptedChatModel } from "@agentkeys/testing/langchain";
import type { Script } from "@agentkeys/testing";
import { ChatAnthropic } from "@langchain/anthropic";
import { ChatOpenAI } from "@langchain/openai";
import { wrapLanguageModel } from "ai";
import type { LanguageModelMiddleware } from "ai";

type Prompt = Parameters<
  NonNullable<LanguageModelMiddleware["transformParams"]>
>[0]["params"]["prompt"];

const { ANTHROPIC_API_KEY, OPENAI_API_KEY, AGENTKEYS_DEMO_MODEL } = process.env;

/** Who drives the loops: a real model where a key is set, else a script. */
export const driver = ANTHROPIC_API_KEY
  ? { vendor: "anthropic" as const, name: AGENTKEYS_DEMO_MODEL ?? "claude-haiku-4-5" }
  : OPENAI_API_KEY
    ? { vendor: "openai" as const, name: AGENTKEYS_DEMO_MODEL ?? "gpt-5-mini" }
    : undefined;

/** For LangChain.js. */
export function chatModel(script: Script) {
  if (driver === undefined) return scriptedChatModel(script);
  const model = driver.name;
  return driver.vendor === "anthropic" ? new ChatAnthropic({ model }) : new ChatOpenAI({ model });
}

/** For the AI SDK and Mastra; `prompts` fills with what the model was sent at each turn. */
export function sdkModel(script: Script) {
  const model =
    driver === undefined
      ? scriptedSdkModel(script)
      : driver.vendor === "anthropic"
        ? createAnthropic()(driver.name)
        : createOpenAI()(driver.name);
  const prompts: Prompt[] = [];
  const middleware: LanguageModelMiddleware = {
    specificationVersion: "v4",
    transformParams: async ({ params }) => {
      prompts.push(params.prompt);
      return params;
    },
  };
  return { model: wrapLanguageModel({ model, middleware }), prompts };
}
