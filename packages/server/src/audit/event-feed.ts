import { AgentKeysError } from "@agentkeys/contract";
import type { Exchange, Reply } from "../http/exchange.ts";
import type { Services } from "../services.ts";

/** Milliseconds of silence after which a comment keeps the connection alive. */
const HEARTBEAT = 15_000;

export interface FeedSource {
  /** The first thing that is sent. */
  readonly opening: string;
  /** Whether there is something to read before anything happens. */
  readonly behind: boolean;
  /** Reads on: events as text, "" where none is for this reader; undefined = there is nothing more to read. */
  read(): Promise<string | undefined>;
  /** Calls `wake` when there may be more to read; gives the unsubscribe function. */
  subscribe(wake: () => void): () => void;
  /** Nothing happened for a while. */
  idle?(): Promise<void>;
}

/**
 * Server-sent events. Pulled: a slow reader costs one batch of memory and reads on where it was. Ends by `return`, or when the
 * authority closes.
 */
class EventFeed implements AsyncIterableIterator<string, undefined> {
  readonly #services: Services;
  readonly #source: FeedSource;
  readonly #unsubscribe: () => void;
  readonly #close = () => this.#end();
  /** There may be more to read than was read. */
  #behind: boolean;
  #state: "new" | "open" | "closed" = "new";
  #wake: () => void = () => undefined;

  constructor(services: Services, source: FeedSource) {
    this.#services = services;
    this.#source = source;
    this.#behind = source.behind;
    this.#unsubscribe = source.subscribe(() => {
      this.#behind = true;
      this.#wake();
    });
    services.streams.add(this.#close);
    services.metrics.streaming(1);
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    if (this.#state === "new") {
      this.#state = "open";
      return { done: false, value: this.#source.opening };
    }
    while (this.#state === "open") {
      const value = this.#behind ? await this.#read() : await this.#quiet();
      if (value !== "") return { done: false, value };
    }
    return { done: true, value: undefined };
  }

  async return(): Promise<IteratorResult<string, undefined>> {
    this.#end();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#unsubscribe();
    this.#services.streams.delete(this.#close);
    this.#services.metrics.streaming(-1);
    this.#wake();
  }

  async #read(): Promise<string> {
    this.#behind = false;
    const events = await this.#source.read();
    if (events === undefined) return "";
    this.#behind = true;
    return events;
  }

  /** Nothing when there is something to read, else a sign of life. */
  async #quiet(): Promise<string> {
    const sign = await new Promise<string>((resolve) => {
      const timer = setTimeout(() => resolve(": idle\n\n"), HEARTBEAT);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve("");
      };
    });
    if (sign !== "" && this.#state === "open") await this.#source.idle?.();
    return sign;
  }
}

export function feedReply(services: Services, source: FeedSource): Reply {
  const headers = { "cache-control": "no-store", "x-accel-buffering": "no" };
  const body = new EventFeed(services, source);
  return { status: 200, type: "text/event-stream", body, headers };
}

/** Where a reader goes on: `Last-Event-ID`, else `?after=`. Throws `invalid_params`. */
export function cursorOf(exchange: Exchange): number | undefined {
  const text = exchange.header("last-event-id") ?? new URLSearchParams(exchange.query).get("after");
  if (text === null || text === "") return undefined;
  const after = /^\d{1,15}$/.test(text) ? Number(text) : undefined;
  if (after === undefined)
    throw new AgentKeysError("invalid_params", "after: not a sequence number");
  return after;
}
