import { styleText } from "node:util";
import type { Said } from "./shop.ts";

const shorten = (text: string): string => (text.length > 140 ? `${text.slice(0, 139)}…` : text);

export function say(text: string, style: "act" | "plain" = "plain"): void {
  console.log(style === "act" ? styleText("bold", text) : text);
}

/** One line per call, one per answer, then what the agent says. */
export function show({ exchanges, text }: Said): void {
  for (const { tool, input, refused, answer } of exchanges) {
    console.log(`  agent  → ${tool} ${shorten(JSON.stringify(input))}`);
    console.log(
      styleText(
        refused ? "red" : "green",
        `  ${refused ? "denied" : "answer"} ← ${shorten(answer)}`,
      ),
    );
  }
  console.log(`  agent: ${shorten(text)}`);
}
