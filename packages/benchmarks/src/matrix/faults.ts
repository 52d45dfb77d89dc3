import type { Fetch } from "@agentkeys/core";

type Around = (fetch: Fetch) => Fetch;

/** Calls of this method meet `instead`; all others pass. */
function onMethod(method: string, instead: (fetch: Fetch) => Fetch): Around {
  return (fetch) => (url, init) => {
    const hit = typeof init?.body === "string" && init.body.includes(`"method":"${method}"`);
    return hit ? instead(fetch)(url, init) : fetch(url, init);
  };
}

const never: Fetch = () => new Promise(() => {});
const refused: Fetch = () => Promise.reject(new TypeError("connection refused"));
const page: Fetch = async () => new Response("<html>It works!</html>", { status: 200 });
const unwritable: Fetch = async (_url, init) => {
  const { id } = JSON.parse(init.body as string) as { id: number };
  const error = { code: -32000, message: "audit_append failed: disk full" };
  return Response.json({ jsonrpc: "2.0", id, error });
};

/** Ways in which an authority fails its guard. `guard/begin` decides and writes in one. */
export const faults = {
  "policy down": onMethod("guard/begin", () => refused),
  "policy hangs": onMethod("guard/begin", () => never),
  "policy garbage": onMethod("guard/begin", () => page),
  "record fails": onMethod("guard/begin", () => unwritable),
  "record hangs": onMethod("guard/begin", (fetch) => async (url, init) => {
    await fetch(url, init);
    return never(url, init);
  }),
} satisfies Record<string, Around>;
