import type { BaseLanguageModelInput } from "@langchain/core/language_models/base";
import {
  BaseChatModel,
  type BaseChatModelCallOptions,
  type BindToolsInput,
} from "@langchain/core/language_models/chat_models";
import {
  AIMessage,
  type AIMessageChunk,
  type BaseMessage,
  ToolMessage,
} from "@langchain/core/messages";
import type { ChatResult } from "@langchain/core/outputs";
import type { Runnable } from "@langchain/core/runnables";
import { convertToOpenAITool } from "@langchain/core/utils/function_calling";
import type { AgentResult, ToolAnswer } from "./framework-driver.ts";
import { type Script, turnsOf } from "./script.ts";

type Offered = AgentResult["offered"];

interface ScriptedOptions extends BaseChatModelCallOptions {
  offered?: Offered;
}

class ScriptedChatModel extends BaseChatModel<ScriptedOptions> {
  /** What was offered and said at each turn so far. */
  readonly calls: { offered: Offered; messages: BaseMessage[] }[] = [];
  readonly #turns: ReturnType<typeof turnsOf>;

  constructor(script: Script) {
    super({});
    this.#turns = turnsOf(script);
  }

  override _llmType(): string {
    return "agentkeys-scripted";
  }

  override bindTools(
    tools: BindToolsInput[],
    options: Partial<ScriptedOptions> = {},
  ): Runnable<BaseLanguageModelInput, AIMessageChunk, ScriptedOptions> {
    return this.withConfig({ ...options, offered: tools.map(offeredTool) });
  }

  override _generate(
    messages: BaseMessage[],
    { offered = [] }: this["ParsedCallOptions"],
  ): Promise<ChatResult> {
    const turn = this.#turns[Math.min(this.calls.length, this.#turns.length - 1)] ?? "";
    this.calls.push({ offered, messages: [...messages] });
    const text = typeof turn === "string" ? turn : "";
    const calls = typeof turn === "string" ? [] : turn;
    const tool_calls = calls.map(({ name, input, id }) => ({
      name,
      id,
      args: structuredClone(input) as Record<string, unknown>,
      type: "tool_call" as const,
    }));
    const message = new AIMessage({ content: text, tool_calls });
    return Promise.resolve({ generations: [{ text, message }] });
  }
}

export type ScriptedModel = ScriptedChatModel;

/** A chat model that follows the script, one turn per call, across the runs of an agent. What it was asked is in `calls`. */
export function scriptedModel(script: Script): ScriptedModel {
  return new ScriptedChatModel(script);
}

/** The tools that the model was offered at its first turn. */
export function offeredTo(model: ScriptedModel): Offered {
  return model.calls[0]?.offered ?? [];
}

/** What the model had read in answer to its calls by its last turn. */
export function answersRead(model: ScriptedModel): ToolAnswer[] {
  const messages = model.calls.at(-1)?.messages ?? [];
  return messages
    .filter((message) => ToolMessage.isInstance(message))
    .map(({ tool_call_id: id, name: tool = "", status, text }) => {
      return { id, tool, refused: status === "error", text };
    });
}

function offeredTool(tool: BindToolsInput): Offered[number] {
  // A description of a provider's own tool is no function and has no schema.
  const { type, name } = tool as { type?: string; name?: string };
  if (type !== undefined && type !== "function") return { name: name ?? type, schema: {} };
  const { function: described } = convertToOpenAITool(tool);
  return { name: described.name, schema: described.parameters ?? {} };
}
