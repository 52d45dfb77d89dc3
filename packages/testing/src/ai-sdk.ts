import type { JsonSchema } from "@agentkeys/contract";
import { convertArrayToReadableStream, MockLanguageModelV4 } from "ai/test";
import type { AgentResult, ToolAnswer } from "./framework-driver.ts";
import { turnsOf, type Script } from "./script.ts";

type Turn = ReturnType<typeof turnsOf>[number];
type Options = MockLanguageModelV4["doGenerateCalls"][number];
type Chunk =
  Awaited<ReturnType<MockLanguageModelV4["doStream"]>>["stream"] extends ReadableStream<infer T>
    ? T
    : never;
type Output = Extract<
  Extract<Options["prompt"][number], { role: "tool" }>["content"][number],
  { type: "tool-result" }
>["output"];

const usage = {
  inputTokens: { total: 1, noCache: 1, cacheRead: 0, cacheWrite: 0 },
  outputTokens: { total: 1, text: 1, reasoning: 0 },
};

/**
 * A language model that follows the script in `generateText` and `streamText` alike, and in whatever else takes an
 * AI SDK model. What it was asked is in `doGenerateCalls` and `doStreamCalls`.
 */
export function scriptedModel(script: Script): MockLanguageModelV4 {
  const turns = turnsOf(script);
  let next = 0;
  const turn = (): Turn => {
    const current = turns[Math.min(next, turns.length - 1)];
    next += 1;
    return current ?? "";
  };
  return new MockLanguageModelV4({
    modelId: "scripted",
    doGenerate: async () => {
      const said = turn();
      return { content: contentOf(said), finishReason: finishOf(said), usage, warnings: [] };
    },
    doStream: async () => ({ stream: convertArrayToReadableStream(chunksOf(turn())) }),
  });
}

/** The tools that the model was offered at its first turn. */
export function offeredTo(model: MockLanguageModelV4): AgentResult["offered"] {
  const tools = [...model.doGenerateCalls, ...model.doStreamCalls][0]?.tools ?? [];
  return tools.map((tool) => ({
    name: tool.name,
    schema: (tool.type === "function" ? tool.inputSchema : {}) as JsonSchema,
  }));
}

/** What the model had read in answer to its calls by its last turn. */
export function answersRead(model: MockLanguageModelV4): ToolAnswer[] {
  const prompt = [...model.doGenerateCalls, ...model.doStreamCalls].at(-1)?.prompt ?? [];
  return prompt.flatMap((message) =>
    message.role !== "tool"
      ? []
      : message.content.flatMap((part) =>
          part.type !== "tool-result"
            ? []
            : [{ id: part.toolCallId, tool: part.toolName, ...answerIn(part.output) }],
        ),
  );
}

function answerIn(output: Output): Pick<ToolAnswer, "refused" | "text"> {
  if (output.type === "execution-denied") return { refused: true, text: output.reason ?? "" };
  const refused = output.type === "error-text" || output.type === "error-json";
  const { value } = output;
  return { refused, text: typeof value === "string" ? value : JSON.stringify(value) };
}

function finishOf(turn: Turn) {
  const unified = typeof turn === "string" ? ("stop" as const) : ("tool-calls" as const);
  return { unified, raw: unified };
}

function contentOf(turn: Turn) {
  if (typeof turn === "string") return [{ type: "text" as const, text: turn }];
  return turn.map(({ id, name, input }) => ({
    type: "tool-call" as const,
    toolCallId: id,
    toolName: name,
    input: JSON.stringify(input),
  }));
}

function chunksOf(turn: Turn): Chunk[] {
  const said = contentOf(turn).flatMap((part, i): Chunk[] => {
    if (part.type === "text") {
      const id = `text-${i}`;
      return [
        { type: "text-start", id },
        { type: "text-delta", id, delta: part.text },
        { type: "text-end", id },
      ];
    }
    const id = part.toolCallId;
    return [
      { type: "tool-input-start", id, toolName: part.toolName },
      { type: "tool-input-delta", id, delta: part.input },
      { type: "tool-input-end", id },
      part,
    ];
  });
  const finish: Chunk = { type: "finish", finishReason: finishOf(turn), usage };
  return [{ type: "stream-start", warnings: [] }, ...said, finish];
}
