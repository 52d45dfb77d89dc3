import type { sdkModel } from "./model.ts";
import type { Exchange } from "./shop.ts";

/** The calls in the last prompt that an AI SDK model was sent, each with the answer it read. */
export function exchangesIn(prompts: ReturnType<typeof sdkModel>["prompts"]): Exchange[] {
  const messages = prompts.at(-1) ?? [];
  const inputs = new Map<string, unknown>();
  for (const message of messages) {
    if (message.role !== "assistant") continue;
    for (const part of message.content) {
      if (part.type === "tool-call") inputs.set(part.toolCallId, part.input);
    }
  }
  return messages.flatMap((message) =>
    message.role !== "tool"
      ? []
      : message.content.flatMap((part): Exchange[] => {
          if (part.type !== "tool-result") return [];
          const { output } = part;
          const answer =
            output.type === "execution-denied"
              ? (output.reason ?? "denied")
              : typeof output.value === "string"
                ? output.value
                : JSON.stringify(output.value);
          const refused =
            output.type === "execution-denied" ||
            output.type.startsWith("error-") ||
            answer.includes("Denied by AgentKeys: ");
          return [{ tool: part.toolName, input: inputs.get(part.toolCallId), refused, answer }];
        }),
  );
}
