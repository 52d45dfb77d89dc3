import type { Approval } from "@agentkeys/contract";
import { AgentKeysError } from "@agentkeys/contract";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { isAborted } from "../guard/decision.ts";
import { limitsOf, pause, within } from "../transport/deadline.ts";
import { maxAnswerBytes, type StreamAnswer, readText } from "../transport/http.ts";
import { isApproval } from "./read-approval.ts";
import { readRoute } from "../transport/read-route.ts";
import { unavailable } from "../transport/unavailable.ts";

/** The authority says something every 15 s; after this silence, in milliseconds, a connection counts as lost. */
const silenceMs = 45_000;

/** A connection that held so long, in milliseconds, was no failure. */
const steadyMs = 5000;
/** What a header may hold. */
const cursors = /^[\x21-\x7e]{1,64}$/;

export interface Watching {
  /** Connects; `lastEventId` is where the last connection stopped. */
  connect(headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<StreamAnswer>;
  /** For each connection, in milliseconds. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
  /** What was pending has been given; from here on nothing is missed. Again after each cut. */
  readonly onReady?: (() => void) | undefined;
}

/**
 * Every approval in its latest state: first the pending ones, then each change. Connects again after a cut and goes on where it
 * was; what cannot be authentic is left out. Ends when the signal aborts. Rejects when the first connection fails, or when a
 * later one is refused.
 */
export async function* watchApprovals(watching: Watching): AsyncGenerator<Approval, void> {
  const { signal, onReady } = watching;
  const waiting = new Set<string>();
  let cursor: string | undefined;
  let failures = 0;
  let connected = false;
  let since = Infinity;
  while (!isAborted(signal)) {
    const stop = new AbortController();
    const onAbort = (): void => stop.abort(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    try {
      const answer = await connect(watching, cursor, stop);
      connected = true;
      since = performance.now();
      for await (const { event, data, id } of events(answer.body)) {
        if (event === "ready") onReady?.();
        const approval = event === "approval" ? parse(data) : undefined;
        if (approval !== undefined && isNews(waiting, approval)) yield approval;
        if (id !== undefined && cursors.test(id)) cursor = id;
      }
    } catch (error) {
      if (isAborted(signal)) return;
      if (!connected || isFinal(error)) throw error;
    } finally {
      signal?.removeEventListener("abort", onAbort);
      stop.abort();
    }
    if (performance.now() - since > steadyMs) failures = 0;
    since = Infinity;
    await pause(delay(failures++), signal);
  }
}

function connect(
  { connect: open, timeoutMs, signal }: Watching,
  cursor: string | undefined,
  stop: AbortController,
): Promise<StreamAnswer> {
  const limits = limitsOf(timeoutMs, signal);
  const headers: Record<string, string> = {
    accept: "text/event-stream",
    ...(cursor !== undefined && { "last-event-id": cursor }),
  };
  return within(limits, async (waiting) => {
    waiting.onStop((reason) => stop.abort(reason));
    const answer = await open(headers, stop.signal);
    if (answer.status === 200) return answer;
    const body = await readText(answer.body);
    readRoute({ status: answer.status, retryAfter: undefined, body });
    throw unavailable(`HTTP ${answer.status}`);
  });
}

async function* events(body: AsyncIterable<Uint8Array>): AsyncGenerator<EventSourceMessage> {
  const found: EventSourceMessage[] = [];
  const parser = createParser({
    onEvent: (event) => void found.push(event),
    maxBufferSize: maxAnswerBytes,
  });
  const decoder = new TextDecoder();
  const chunks = body[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { done, value } = await within(limitsOf(silenceMs), () => chunks.next());
      if (done === true) return;
      parser.feed(decoder.decode(value, { stream: true }));
      yield* found.splice(0);
    }
  } finally {
    // Not awaited: one that hangs would keep whoever leaves.
    chunks.return?.().catch(() => {});
  }
}

function parse(data: string): Approval | undefined {
  try {
    const value: unknown = JSON.parse(data);
    return isApproval(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

/** After a cut the authority may tell again what is pending. */
function isNews(waiting: Set<string>, { id, status }: Approval): boolean {
  if (status !== "pending") {
    waiting.delete(id);
    return true;
  }
  const known = waiting.has(id);
  waiting.add(id);
  return !known;
}

/** An answer, and not the lack of one. */
function isFinal(error: unknown): boolean {
  if (!AgentKeysError.is(error)) return false;
  return error.code !== "authority_unavailable" && error.code !== "rate_limited";
}

/** Milliseconds before the next connection, spread so that many clients do not come back together. */
function delay(failures: number): number {
  return Math.min(10_000, 100 * 2 ** Math.min(failures, 8)) * (0.5 + Math.random());
}
