import type { Fetch } from "@agentkeys/core";

/** Ways in which an authority fails to answer. */
export const faults = [
  "down",
  "hangs",
  "late",
  "cut",
  "garbage",
  "error 500",
  "half an answer",
  "unknown verdict",
  "refuses to record",
] as const;
export type Fault = (typeof faults)[number];

/** JSON-RPC methods and tool names that a fault hits; everything else goes through. */
export interface FaultPlan {
  fault: Fault;
  hits(method: string): boolean;
  /** When `late` answers, in milliseconds. Default: 0. */
  lateMs?: number;
  /** Ends what hangs. */
  closing: AbortSignal;
}

const answer = (id: unknown, body: object): Response =>
  Response.json({ jsonrpc: "2.0", ...body, id });

const result = (id: unknown, value: object): Response =>
  answer(id, {
    result: {
      content: [{ type: "text", text: JSON.stringify(value) }],
      structuredContent: value,
      isError: false,
    },
  });

function cutBody(): Response {
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      controller.enqueue(new TextEncoder().encode('{"jsonrpc":"2.0","result":{"verd'));
      controller.error(new TypeError("terminated"));
    },
  });
  return new Response(body, { headers: { "content-type": "application/json" } });
}

function never(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const give = (): void => reject(signal.reason as Error);
    if (signal.aborted) give();
    else signal.addEventListener("abort", give, { once: true });
  });
}

/** The client sends text. */
export function textOf({ body }: RequestInit): string {
  return typeof body === "string" ? body : "{}";
}

interface RpcRequest {
  id: unknown;
  method: string;
  params?: { name?: string };
}

/** Calls reach `fetch` unless the plan hits them. `late` performs the call and answers afterwards. */
export function faultyFetch(fetch: Fetch, plan: FaultPlan): Fetch {
  return async (url, init) => {
    const request = JSON.parse(textOf(init)) as RpcRequest;
    const method = request.method === "tools/call" ? request.params?.name : request.method;
    if (!plan.hits(method ?? "")) return fetch(url, init);
    const { id } = request;
    const fused = request.method !== "tools/call";
    const wrap = (value: object): Response =>
      fused ? answer(id, { result: value }) : result(id, value);
    switch (plan.fault) {
      case "down":
        throw new TypeError("fetch failed");
      case "hangs":
        return never(AbortSignal.any([plan.closing, ...(init.signal ? [init.signal] : [])]));
      case "late": {
        const response = await fetch(url, { ...init, signal: null });
        await new Promise((done) => setTimeout(done, plan.lateMs ?? 0));
        return response;
      }
      case "cut":
        return cutBody();
      case "garbage":
        return new Response("<html>It works!</html>", { headers: { "content-type": "text/html" } });
      case "error 500":
        return new Response("boom", { status: 500 });
      case "half an answer":
        return wrap({ verdict: "accept" });
      case "unknown verdict":
        return wrap({
          verdict: "fine",
          scope: "web.search",
          reason: "r",
          explanation: "e",
          ticket: "t",
          envelope_hash: `0x${"0".repeat(64)}`,
          ok: true,
        });
      case "refuses to record":
        return answer(id, { error: { code: -32000, message: "audit_append failed: disk full" } });
    }
  };
}

/** Faults of everything that travels. `half an answer` and `unknown verdict` hit decisions only. */
export type WireFault = Exclude<Fault, "late" | "refuses to record">;

const ofDecisions = new Set<Fault>(["half an answer", "unknown verdict"]);
const decisions = new Set(["guard/begin", "agentkeys.permission.check"]);

/** The fault is asked for at each request; undefined: the request goes through. `closing` ends what hangs. */
export function switchedFetch(
  fetch: Fetch,
  now: () => WireFault | undefined,
  closing: AbortSignal,
): Fetch {
  return (url, init) => {
    const fault = now();
    if (fault === undefined) return fetch(url, init);
    const hits = (method: string): boolean => !ofDecisions.has(fault) || decisions.has(method);
    return faultyFetch(fetch, { fault, hits, closing })(url, init);
  };
}
