import { AgentKeysError } from "@agentkeys/contract";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Projection } from "../projections/projection.ts";
import type { Auth } from "../protocol/auth.ts";
import { createBell } from "./bell.ts";
import type { Ending, Endings } from "./endings.ts";
import type { SessionHost } from "./session-host.ts";
import { subscribe } from "./subscription.ts";

/** Most milliseconds that what was accepted is waited for on the stream. */
const longestEcho = 10_000;

export interface FeedOptions {
  readonly endings: Endings;
  readonly projection: Projection;
  readonly sessionId: string;
  readonly auth: Auth | undefined;
}

/** Keeps a projection at what the runtime accepted, in its order, while it is open. */
export class Feed {
  readonly #host: SessionHost;
  readonly #options: FeedOptions;
  readonly #closing = new AbortController();
  readonly #closed: AbortSignal;
  readonly #changed = createBell();
  readonly #echoes = new Map<string, { seen: Promise<void>; release: () => void }>();
  readonly #following: Promise<void>;
  #watching: Promise<void> | undefined;
  #received = 0;
  #over = false;
  #ending: Ending | undefined;
  #failure: AgentKeysError | undefined;

  constructor(host: SessionHost, options: FeedOptions) {
    this.#host = host;
    this.#closed = AbortSignal.any([host.closed, this.#closing.signal]);
    this.#options = options;
    this.#following = this.#follow();
  }

  /** Why nothing more comes; undefined while it does, and after `close`. */
  get failure(): AgentKeysError | undefined {
    return this.#failure;
  }

  /** Known once somebody waits for messages: what ends a session need not be part of its history. */
  get ending(): Ending | undefined {
    return this.#options.projection.isCommitted ? "resolved" : this.#ending;
  }

  /** Whether more may come. */
  get isLive(): boolean {
    return !this.#over && this.ending === undefined;
  }

  /** Resolves when the projection has an accepted message, and with it all that was accepted before. */
  async taken(envelope: Envelope): Promise<void> {
    const { projection } = this.#options;
    if (!this.#over && !projection.has(envelope.messageId)) await this.#echo(envelope.messageId);
    if (envelope.sender !== "") projection.apply(envelope);
  }

  /** Resolves when the condition holds after a message, or nothing more comes. */
  async until(condition: () => boolean, signal?: AbortSignal): Promise<void> {
    if (condition()) return;
    this.#watching ??= this.#watch();
    while (!condition() && this.isLive) await this.#changed.next(signal);
  }

  /** Resolves when that many messages have come, when no more can, or when they are late. */
  async caughtUp(count: number, signal?: AbortSignal): Promise<void> {
    const late = AbortSignal.timeout(longestEcho);
    const waiting = signal === undefined ? late : AbortSignal.any([signal, late]);
    while (this.#received < count && !this.#over && !late.aborted) {
      await this.#changed.next(waiting).catch((error: unknown) => {
        if (!late.aborted) throw error;
      });
    }
  }

  async close(): Promise<void> {
    this.#closing.abort();
    await Promise.all([this.#following, this.#watching]);
  }

  async #follow(): Promise<void> {
    const { projection, sessionId, auth } = this.#options;
    const closed = this.#closed;
    try {
      for await (const envelope of subscribe(this.#host, sessionId, { auth, closed })) {
        this.#received += 1;
        projection.apply(envelope);
        this.#echoes.get(envelope.messageId)?.release();
        this.#changed.ring();
      }
    } catch (error) {
      if (!closed.aborted) this.#failure = AgentKeysError.from(error);
    }
    this.#over = true;
    for (const { release } of this.#echoes.values()) release();
    this.#changed.ring();
  }

  async #watch(): Promise<void> {
    const { endings, sessionId, auth } = this.#options;
    const signal = this.#closed;
    const ended = await endings.of(sessionId, { auth, signal });
    // The two streams are not in step: what was accepted before the end comes first.
    if (ended) await this.caughtUp(ended.accepted, signal).catch(() => undefined);
    this.#ending = ended?.ending;
    this.#changed.ring();
  }

  /** Resolves when the message has come, when no more can, or when it is late; the same for all who wait for it. */
  #echo(messageId: string): Promise<void> {
    const waited = this.#echoes.get(messageId);
    if (waited) return waited.seen;
    let release = (): void => {};
    const seen = new Promise<void>((resolve) => {
      const timer = setTimeout(() => release(), longestEcho);
      release = () => {
        clearTimeout(timer);
        this.#echoes.delete(messageId);
        resolve();
      };
    });
    this.#echoes.set(messageId, { seen, release });
    return seen;
  }
}
