import type { Exchange } from "./exchanges.ts";

export interface Load {
  readonly url: string;
  readonly exchange: Exchange;
  /** Requests under way at a time. */
  readonly clients: number;
  readonly seconds: number;
}

/** What the clients saw in one round. */
export interface Answered {
  readonly perSecond: number;
  /** Microseconds. */
  readonly p50: number;
  readonly p99: number;
}

/** Sends requests for some seconds from a process of its own. Rejects when one fails. */
export interface Generator {
  readonly name: string;
  generate(load: Load): Promise<Answered>;
}
