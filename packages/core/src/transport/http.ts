import {
  AgentKeysError,
  type Direct,
  type DirectAnswer,
  type DirectRequest,
} from "@agentkeys/contract";
import type { Stop } from "./deadline.ts";
import { unavailable } from "./unavailable.ts";

/** An answer that is read as it comes. */
export interface StreamAnswer {
  readonly status: number;
  readonly body: AsyncIterable<Uint8Array>;
}

/** Requests to one origin. Rejects when no whole answer arrives. */
export interface Http {
  post(request: DirectRequest, stop: Stop): Promise<DirectAnswer>;
  /** Resolves with the head of the answer; the signal ends the body too. */
  get(request: Omit<DirectRequest, "body">, signal: AbortSignal): Promise<StreamAnswer>;
  /** Where the authority is in this process. */
  readonly call?: Direct["call"];
  close(): Promise<void>;
}

/** Longest answer that is read, in bytes. */
export const maxAnswerBytes = 4 * 1024 * 1024;

export function tooLarge(): AgentKeysError {
  return unavailable(`answer longer than ${maxAnswerBytes} bytes`);
}

/** The whole body as text, within the limit. */
export async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body) {
    size += chunk.byteLength;
    if (size > maxAnswerBytes) throw tooLarge();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Origin and path of an authority's `/mcp` URL. */
export function splitUrl(url: string): { origin: string; path: string } {
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    throw new AgentKeysError(
      "config_invalid",
      "url: expected http://… or https://…, ending in /mcp",
    );
  }
  return { origin: parsed.origin, path: parsed.pathname + parsed.search };
}
