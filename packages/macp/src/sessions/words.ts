import {
  type Recommendation,
  recommendations,
  severities,
  type Severity,
  type Vote,
  votes,
} from "../protocol/constants.ts";
import { refuse } from "./refuse.ts";

const invalid = (message: string) => refuse({ code: "INVALID_ENVELOPE", message });

/** The canonical form of a word of a closed list; any case goes in, newer runtimes take the canonical one only. */
function canonical(word: string, list: readonly string[], what: string): string {
  const found = list.find((entry) => entry.toLowerCase() === word.toLowerCase());
  if (found === undefined) invalid(`${what}: ${word}, expected ${list.join(", ")}`);
  return found ?? "";
}

export type AnyCase<T extends string> = T | Lowercase<T>;

export const toVote = (word: AnyCase<Vote>): string => canonical(word, votes, "vote");
export const toSeverity = (word: AnyCase<Severity>): string =>
  canonical(word, severities, "severity");
export const toRecommendation = (word: AnyCase<Recommendation>): string =>
  canonical(word, recommendations, "recommendation");

/** From 0 to 1, and so neither NaN nor infinite. */
export function toConfidence(value: number): number {
  if (!(value >= 0 && value <= 1)) invalid(`confidence: ${value}, expected 0 to 1`);
  return value;
}

/** Texts travel as UTF-8. */
export const toBytes = (data: Uint8Array | string): Uint8Array =>
  typeof data === "string" ? new TextEncoder().encode(data) : data;

/** Names and ids that no runtime takes blank. */
export function filled(fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value.trim() === "") invalid(`${name}: blank`);
  }
}
