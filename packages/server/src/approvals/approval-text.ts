import { stringifyJson, type WireValue } from "@agentkeys/contract";
import type { Fields } from "../rpc/fields.ts";

/** Characters that a person is shown. */
export const TEXT_LIMIT = 4000;

/** Control characters but line feed and tab, and those that are not seen or turn the direction of writing. */
const unseen = /(?![\n\t])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** The text with whatever could hide or turn a part of it spelt out: it is read in terminals and web pages. */
export function readable(text: string): string {
  return text.replace(unseen, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}

/** What a person reads where the row does not describe the call: tool, scope, params and clear fields, one a line. */
export function defaultText(call: {
  tool: string;
  scope: string | null;
  params: Fields;
  clear: Fields | undefined;
}): string {
  const { tool, scope, params, clear = {} } = call;
  const facts = Object.entries({ ...params, ...clear }).map(
    ([name, value]) => `${line(name)}: ${line(value)}`,
  );
  const lines = [line(tool), ...(scope === null ? [] : [`scope: ${line(scope)}`]), ...facts];
  const text = lines.join("\n");
  if (text.length <= TEXT_LIMIT) return text;
  // Each gets its share, so that a long fact does not push the next one out of sight.
  const share = Math.max(SHORTEST, Math.floor(TEXT_LIMIT / lines.length) - 1);
  return shortened(lines.map((fact) => shortened(fact, share)).join("\n"), TEXT_LIMIT);
}

/** Characters that are left of a line, and that the remark takes at most. */
const SHORTEST = 120;
const REMARK = 60;

function shortened(text: string, limit: number): string {
  if (text.length <= limit) return text;
  // Half a pair would be no text.
  const start = text.slice(0, limit - REMARK).replace(/[\ud800-\udbff]$/, "");
  return `${start}… ${text.length - start.length} more characters are not shown`;
}

/** On one line: a value with lines of its own could be read as facts that nobody stated. */
function line(value: WireValue): string {
  return typeof value === "string" && !value.includes("\n") ? value : stringifyJson(value);
}
