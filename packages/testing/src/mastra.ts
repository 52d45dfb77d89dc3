import type { LanguageModel } from "@mastra/core/llm";
import type { MockLanguageModelV4 } from "ai/test";
import * as aiSdk from "./ai-sdk.ts";
import type { ToolAnswer } from "./framework-driver.ts";
import type { Script } from "./script.ts";

/** The AI SDK's mock under the type that Mastra has for it: under `exactOptionalPropertyTypes` the two do not meet. */
export type ScriptedModel = MockLanguageModelV4 &
  Extract<LanguageModel, { specificationVersion: "v4" }>;

/** A language model that follows the script, in `generate` and `stream` alike. */
export function scriptedModel(script: Script): ScriptedModel {
  return aiSdk.scriptedModel(script) as ScriptedModel;
}

export { offeredTo } from "./ai-sdk.ts";

/** What the model had read in answer to its calls by its last turn. A refusal is a result: `{ error: true, … }`. */
export function answersRead(model: MockLanguageModelV4): ToolAnswer[] {
  return aiSdk.answersRead(model).map((answer) => ({
    ...answer,
    refused: answer.refused || /^\{.*"error":true/.test(answer.text),
  }));
}
