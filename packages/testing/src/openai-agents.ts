import type { JsonSchema } from "@agentkeys/contract";
import { type Model, type ModelRequest, type StreamEvent, Usage } from "@openai/agents-core";
import type { AssistantMessageItem, FunctionCallItem } from "@openai/agents-core";
import type { AgentResult, ToolAnswer } from "./framework-driver.ts";
import { type Script, turnsOf } from "./script.ts";

/** A model that follows a script. What it was asked is in `requests`. */
export interface ScriptedModel extends Model {
  readonly requests: readonly ModelRequest[];
}

/** A model of the OpenAI Agents SDK that follows the script, one turn per request, streamed or not, across runs. */
export function scriptedModel(script: Script): ScriptedModel {
  const turns = turnsOf(script);
  const requests: ModelRequest[] = [];
  const next = (request: ModelRequest): Turn => {
    const turn = turns[Math.min(requests.length, turns.length - 1)] ?? "";
    requests.push({ ...request, input: structuredClone(request.input) });
    return turn;
  };
  return {
    requests,
    getResponse: async (request) => {
      return { usage: new Usage({ requests: 1, ...usage }), output: outputOf(next(request)) };
    },
    async *getStreamedResponse(request): AsyncGenerator<StreamEvent> {
      const turn = next(request);
      const id = `response-${requests.length}`;
      yield { type: "response_started" };
      if (typeof turn === "string") yield { type: "output_text_delta", delta: turn };
      yield { type: "response_done", response: { id, output: outputOf(turn), usage } };
    },
  };
}

type Turn = ReturnType<typeof turnsOf>[number];

const usage = { inputTokens: 1, outputTokens: 1, totalTokens: 2 };

/** The tools that the model was offered at its first turn. */
export function offeredTo({ requests }: ScriptedModel): AgentResult["offered"] {
  const tools = requests[0]?.tools ?? [];
  return tools.map((tool) => ({
    name: tool.name,
    schema: (tool.type === "function" ? tool.parameters : {}) as JsonSchema,
  }));
}

/** The SDK has no form for a refusal or an error but a text. */
const refusal =
  /^(Denied by AgentKeys: |Error: |An error occurred while |Tool execution was not approved)/;

/** What the model had read in answer to its calls by its last turn. */
export function answersRead({ requests }: ScriptedModel): ToolAnswer[] {
  const { input = [] } = requests.at(-1) ?? {};
  return (typeof input === "string" ? [] : input).flatMap((item) => {
    if (item.type !== "function_call_result") return [];
    const { callId: id, name: tool, output } = item;
    const text = textOf(output);
    return [{ id, tool, refused: refusal.test(text), text }];
  });
}

function textOf(output: unknown): string {
  if (typeof output === "string") return output;
  const { text } = Object(output) as { text?: unknown };
  return typeof text === "string" ? text : JSON.stringify(output);
}

function outputOf(turn: Turn): (AssistantMessageItem | FunctionCallItem)[] {
  if (typeof turn === "string") {
    const content = [{ type: "output_text" as const, text: turn }];
    return [{ type: "message", role: "assistant", status: "completed", content }];
  }
  return turn.map(({ id: callId, name, input }) => ({
    type: "function_call",
    callId,
    name,
    arguments: JSON.stringify(input),
    status: "completed",
  }));
}
