import { type Direct, direct } from "@agentkeys/contract";
import type { Fetch } from "../client/client-surface.ts";
import { type Http, readText } from "./http.ts";

/** Through a `fetch` that somebody else brought: an embedded authority's, or the platform's. */
export function openFetch(fetch: Fetch, origin: string): Http {
  const embedded = (fetch as { [direct]?: Direct })[direct];
  // A redirect would carry the bearer to an address that nobody configured.
  const redirect = "manual";
  const plain: Http = {
    async post({ path, headers, body }, stop) {
      const controller = new AbortController();
      stop.onStop((reason) => controller.abort(reason));
      const { signal } = controller;
      const init = { method: "POST", headers, body, signal, redirect } as const;
      const response = await fetch(origin + path, init);
      return {
        status: response.status,
        retryAfter: response.headers.get("retry-after") ?? undefined,
        body: await readText(chunks(response)),
      };
    },
    async get({ path, headers }, signal) {
      const response = await fetch(origin + path, { method: "GET", headers, signal, redirect });
      return { status: response.status, body: chunks(response) };
    },
    close: () => Promise.resolve(),
  };
  return embedded === undefined ? plain : { ...plain, ...embedded };
}

/** Not every platform's streams are iterable. Whoever stops reading has the rest thrown away. */
async function* chunks(response: Response): AsyncGenerator<Uint8Array> {
  const { body } = response;
  if (body === null || body === undefined) {
    yield new TextEncoder().encode(await response.text());
    return;
  }
  const reader = body.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    reader.cancel().catch(() => {});
  }
}
