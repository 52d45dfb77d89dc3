import type {
  AgentManifest,
  ModeDescriptor,
  RuntimeInfo,
  Capabilities,
} from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Auth } from "../protocol/auth.ts";
import type { Log } from "./log.ts";
import type { MessageStream } from "./message-stream.ts";
import type { PolicyDefinition, PolicyInfo } from "./policy-info.ts";
import type { RetryOptions } from "./retry.ts";
import type { Accepted, SessionInfo } from "./session-info.ts";
import type { CallOptions, LocalRuntime, Transport } from "./transport.ts";
import type { Watchers } from "./watchers.ts";

/** What every client may be told, wherever its runtime is. */
export interface ClientSettings {
  /** Who calls, where a call names nobody. Default: no credential. */
  auth?: Auth | undefined;
  /** Milliseconds for a call with all its tries. Streams have no deadline. Default: 5,000. */
  timeoutMs?: number | undefined;
  /** What is tried again, after a refusal that passes and after a lost answer where that does no harm. Default: 3 times. */
  retry?: RetryOptions | false | undefined;
  /** Takes a line for each retry and each stream that was cut. Default: none. */
  log?: Log | undefined;
  /** How this program introduces itself in `initialize`. */
  clientInfo?: { name: string; version: string } | undefined;
}

/** Exactly one of `runtime` and `transport`. */
export type ClientOptions = ClientSettings &
  (
    | {
        /** A runtime in this process; it outlives the client. */
        runtime: LocalRuntime;
        transport?: undefined;
      }
    | {
        /** Any way to a runtime; closed with the client. */
        transport: Transport;
        runtime?: undefined;
      }
  );

/** What the runtime says of itself. */
export interface RuntimeDescription {
  readonly protocolVersion: string;
  readonly runtime: RuntimeInfo | undefined;
  readonly capabilities: Capabilities | undefined;
  /** Ids of all modes, extensions among them. */
  readonly modes: readonly string[];
  readonly instructions: string;
}

export interface SignalInit {
  /** What the signal says, in a word; not empty. */
  type: string;
  data?: Uint8Array;
  /** 0 to 1. Default: 0. */
  confidence?: number;
  /** The session that it is about. */
  sessionId?: string;
}

export interface ProgressInit {
  token: string;
  progress: number;
  total?: number;
  message?: string;
  /** The message that is being worked on. */
  targetMessageId?: string;
  /** The session that it belongs to. Default: none, the progress is ambient. */
  session?: { id: string; mode: string };
}

export interface PageOptions extends CallOptions {
  /** Sessions a page. Default: the runtime's. */
  pageSize?: number | undefined;
  /** `nextPageToken` of the page before. Default: the first page. */
  pageToken?: string | undefined;
}

export interface SessionPage {
  readonly sessions: readonly SessionInfo[];
  /** Empty on the last page. */
  readonly nextPageToken: string;
}

/**
 * A client of one runtime. Every call rejects with AgentKeysError: `refusalOf(error)` tells what the runtime refused
 * and why, `statusOf(error)` how a call failed.
 */
export interface ProtocolClient extends Watchers, AsyncDisposable {
  readonly auth: Auth | undefined;
  /** The calls below this client: without retries, refusals as Acks. */
  readonly transport: Transport;

  /** Not needed before other calls. */
  initialize(options?: CallOptions): Promise<RuntimeDescription>;
  /** Any envelope. Resolves for duplicates; rejects for what is refused, and before sending in somebody else's name. */
  send(envelope: Envelope, options?: CallOptions): Promise<Accepted>;
  sendSignal(signal: SignalInit, options?: CallOptions): Promise<Accepted>;
  sendProgress(progress: ProgressInit, options?: CallOptions): Promise<Accepted>;
  /** To and from one session; `decision.join` and its siblings are made of it. */
  openStream(options?: CallOptions): MessageStream;

  getSession(sessionId: string, options?: CallOptions): Promise<SessionInfo>;
  /** A session that has ended already answers with its state. */
  cancelSession(sessionId: string, reason: string, options?: CallOptions): Promise<Accepted>;
  suspendSession(sessionId: string, reason: string, options?: CallOptions): Promise<Accepted>;
  resumeSession(sessionId: string, reason: string, options?: CallOptions): Promise<Accepted>;
  /** All sessions, page by page as they are read. */
  listSessions(options?: PageOptions): AsyncGenerator<SessionInfo, void>;
  listSessionsPage(options?: PageOptions): Promise<SessionPage>;

  getManifest(agentId?: string, options?: CallOptions): Promise<AgentManifest>;
  /** The standard modes. */
  listModes(options?: CallOptions): Promise<readonly ModeDescriptor[]>;
  listExtModes(options?: CallOptions): Promise<readonly ModeDescriptor[]>;
  registerExtMode(
    mode: Partial<Omit<ModeDescriptor, "$typeName" | "$unknown">>,
    options?: CallOptions,
  ): Promise<void>;
  unregisterExtMode(mode: string, options?: CallOptions): Promise<void>;
  /** Resolves to the id that the mode has afterwards. */
  promoteMode(mode: string, promotedName?: string, options?: CallOptions): Promise<string>;
  listRoots(options?: CallOptions): Promise<readonly { uri: string; name: string }[]>;

  registerPolicy(policy: PolicyDefinition, options?: CallOptions): Promise<void>;
  unregisterPolicy(policyId: string, options?: CallOptions): Promise<void>;
  getPolicy(policyId: string, options?: CallOptions): Promise<PolicyInfo>;
  /** Those of a mode and those of every mode; all without `mode`. */
  listPolicies(mode?: string, options?: CallOptions): Promise<readonly PolicyInfo[]>;

  /** Ends watches and streams. Calls made afterwards reject. */
  close(): Promise<void>;
}
