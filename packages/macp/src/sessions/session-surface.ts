import type { Accepted, SessionInfo } from "../client/session-info.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Projection } from "../projections/projection.ts";
import type { Auth } from "../protocol/auth.ts";
import type { CommitmentInit } from "../protocol/commitment.ts";
import type { MessageType, ModeKey, PayloadInit } from "../protocol/mode-table.ts";
import type { Ending } from "./endings.ts";

export interface SendOptions {
  /** Who sends. Default: whom the session was started or joined as. */
  as?: Auth | undefined;
  signal?: AbortSignal | undefined;
  /** Default: a new UUID. A message sent again under its id is accepted once. */
  messageId?: string | undefined;
}

/** What is decided, and how; versions come from the session. */
export interface CommitOptions
  extends SendOptions, Omit<CommitmentInit, "commitmentId" | "versions"> {}

export interface MessagesOptions {
  /** Ordinal of the last message not wanted, SessionStart being 1. Default: 0, the whole history first. */
  after?: number;
  signal?: AbortSignal | undefined;
}

/** What `until` waits for. */
export type Settled<T> = Exclude<T, undefined | null | false>;

/** One session, whatever its mode. Every call rejects with AgentKeysError; a runtime's refusal carries `data.macp_code`. */
export interface Session<
  K extends ModeKey = ModeKey,
  P extends Projection = Projection,
> extends AsyncDisposable {
  readonly id: string;
  /** The mode's name in the mode table. */
  readonly key: K;
  /** The mode's id on the wire. */
  readonly mode: string;
  /** What the runtime accepted, everyone's messages in order. Once a send resolves, that message is in it. */
  readonly projection: P;
  /** How it ended, as far as is known here; `metadata` asks the runtime. */
  readonly ending: Ending | undefined;
  /** Any message of the mode. */
  send<T extends MessageType<K>>(
    messageType: T,
    payload: PayloadInit<K, T>,
    options?: SendOptions,
  ): Promise<Accepted>;
  /** Resolves the session. `outcomePositive` defaults to what the action's last word says, else true. */
  commit(commitment: CommitOptions): Promise<Accepted>;
  cancel(reason?: string, options?: SendOptions): Promise<Accepted>;
  /** Stops the session's clock; nothing but `resume` and `cancel` is accepted until then. */
  suspend(reason?: string, options?: SendOptions): Promise<Accepted>;
  resume(reason?: string, options?: SendOptions): Promise<Accepted>;
  metadata(options?: SendOptions): Promise<SessionInfo>;
  /** The history and then what comes, until the session ends; throws when the runtime can no longer be listened to. */
  messages(options?: MessagesOptions): AsyncIterable<Envelope>;
  /** Asks now and after each message; resolves with the first answer that is not undefined, null or false. Rejects when the session ends without one. */
  until<T>(
    ask: (projection: P) => T,
    options?: Pick<MessagesOptions, "signal">,
  ): Promise<Settled<T>>;
  /** Stops listening. The session itself goes on. */
  close(): Promise<void>;
}
