import { type Direct, direct } from "@agentkeys/contract";
import type { Fetch } from "./client-surface.ts";
import { type Http, maxAnswerBytes, tooLarge } from "./http.ts";

/** Through a `fetch` that somebody else brought: an embedded authority's, or the platform's. */
export function openFetch(fetch: Fetch, origin: string): Http {
  const embedded = (fetch as { [direct]?: Direct })[direct];
  if (embedded !== undefined) return { ...embedded, close: () => Promise.resolve() };
  return {
    async post({ path, headers, body }, onStop) {
      const controller = new AbortController();
      onStop((reason) => controller.abort(reason));
      const { signal } = controller;
      // A redirect would carry the bearer to an address that nobody configured.
      const init = { method: "POST", headers, body, signal, redirect: "manual" } as const;
      const response = await fetch(origin + path, init);
      return {
        status: response.status,
        retryAfter: response.headers.get("retry-after") ?? undefined,
        body: await readText(response),
      };
    },
    close: () => Promise.resolve(),
  };
}

async function readText(response: Response): Promise<string> {
  const { body } = response;
  if (body === null || body === undefined) return response.text();
  const reader = body.getReader();
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    size += value.byteLength;
    if (size > maxAnswerBytes) {
      reader.cancel().catch(() => {});
      throw tooLarge();
    }
    text += decoder.decode(value, { stream: true });
  }
}
