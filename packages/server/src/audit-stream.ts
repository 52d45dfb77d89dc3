import { decodeEnvelope, opKindName, stringifyJson, type WireValue } from "@agentkeys/contract";
import type { Services } from "./services.ts";
import type { LogEntry } from "./store.ts";

/** Entries read at a time. */
const BATCH = 64;
/** Milliseconds of silence after which a comment keeps the connection alive. */
const HEARTBEAT = 15_000;

export interface FeedOptions {
  /** Last sequence number that the reader has; undefined = from the next record on. */
  readonly after: number | undefined;
  /** Whose records are shown; undefined = everybody's. */
  readonly operator: string | undefined;
}

/**
 * The log as server-sent events, in order, without gaps or duplicates. Pulled: a slow reader costs one batch of memory and reads on
 * where it was. Ends by `return`, or when the authority closes.
 */
export class AuditFeed implements AsyncIterableIterator<string, undefined> {
  readonly #services: Services;
  readonly #operator: string | undefined;
  readonly #unsubscribe: () => void;
  readonly #close = () => this.#end();
  /** Last sequence number that was read; undefined until the next record is written. */
  #cursor: number | undefined;
  /** There may be more to read than was read. */
  #behind: boolean;
  #state: "new" | "open" | "closed" = "new";
  #wake: () => void = () => undefined;

  constructor(services: Services, { after, operator }: FeedOptions) {
    this.#services = services;
    this.#operator = operator;
    this.#cursor = after;
    this.#behind = after !== undefined;
    this.#unsubscribe = services.store.subscribe(([first]) => {
      if (first !== undefined) this.#cursor ??= first.seq - 1;
      this.#behind = true;
      this.#wake();
    });
    services.streams.add(this.#close);
    services.metrics.streaming(1);
  }

  async next(): Promise<IteratorResult<string, undefined>> {
    if (this.#state === "new") {
      this.#state = "open";
      return { done: false, value: ": audit\n\n" };
    }
    while (this.#state === "open") {
      const value = this.#behind ? await this.#nextEvents() : await this.#quiet();
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

  async #nextEvents(): Promise<string> {
    this.#behind = false;
    const entries = await this.#services.store.entriesAfter(this.#cursor ?? 0, BATCH);
    const last = entries.at(-1);
    if (last === undefined) return "";
    this.#cursor = last.seq;
    this.#behind = true;
    return entries.map((entry) => toEvent(entry, this.#operator)).join("");
  }

  /** Nothing when there is something to read, else a sign of life. */
  #quiet(): Promise<string> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve(": idle\n\n"), HEARTBEAT);
      timer.unref();
      this.#wake = () => {
        clearTimeout(timer);
        resolve("");
      };
    });
  }
}

function toEvent({ seq, envelope_hash, bytes }: LogEntry, operator: string | undefined): string {
  const { op_kind, ...envelope } = decodeEnvelope(bytes);
  if (operator !== undefined && envelope.operator_omni !== operator) return "";
  const data: WireValue = {
    seq,
    envelope_hash,
    envelope: { ...envelope, op_kind, op: opKindName(op_kind) },
  };
  return `id: ${seq}\nevent: audit\ndata: ${stringifyJson(data)}\n\n`;
}
