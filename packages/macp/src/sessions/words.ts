import {
  type Recommendation,
  recommendations,
  severities,
  type Severity,
  type Vote,
  votes,
} from "../protocol/constants.ts";
import { refusal } from "./refuse.ts";

const invalid = (message: string) => refusal({ code: "INVALID_ENVELOPE", message });

function canonical<T extends string>(word: string, list: readonly T[], what: string): T {
  const found = list.find((entry) => entry.toLowerCase() === word.toLowerCase());
  if (found !== undefined) return found;
  throw invalid(`${what}: ${word}, expected ${list.join(", ")}`);
}

export type AnyCase<T extends string> = T | Lowercase<T>;

/** The canonical form of a word in any case: what every runtime takes. Throws INVALID_ENVELOPE for any other word. */
export const toVote = (word: string): Vote => canonical(word, votes, "vote");

/** As `toVote`, of an objection. */
export const toSeverity = (word: string): Severity => canonical(word, severities, "severity");

/** As `toVote`, of an evaluation. */
export const toRecommendation = (word: string): Recommendation =>
  canonical(word, recommendations, "recommendation");

/** The number, from 0 to 1 and so neither NaN nor infinite. Throws INVALID_ENVELOPE for any other. */
export function toConfidence(value: number): number {
  if (!(value >= 0 && value <= 1)) throw invalid(`confidence: ${value}, expected 0 to 1`);
  return value;
}

/** Texts travel as UTF-8. */
export const toBytes = (data: Uint8Array | string): Uint8Array =>
  typeof data === "string" ? new TextEncoder().encode(data) : data;

/** Names and ids that no runtime takes blank. */
export function filled(fields: Readonly<Record<string, string>>): void {
  for (const [name, value] of Object.entries(fields)) {
    if (value.trim() === "") throw invalid(`${name}: blank`);
  }
}
