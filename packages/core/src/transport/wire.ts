import {
  AgentKeysError,
  createSecrets,
  type Secrets,
  type Approval,
  type ToolKey,
  type ToolOutput,
  type Tools,
  tools,
} from "@agentkeys/contract";
import { fillAmbient } from "../client/ambient.ts";
import { watchApprovals, type Watching } from "../approvals/approval-stream.ts";
import type { CallOptions, Client, ClientOptions } from "../client/client-surface.ts";
import { copyInput } from "../guard/copy-input.ts";
import { eitherOf, type Limits, limitsOf } from "./deadline.ts";
import type { JsonObject } from "../guard/guard-surface.ts";
import { createIdentity, type Identity } from "../client/identity.ts";
import { resultOf } from "./json-rpc.ts";
import { createMcpTransport } from "./mcp-transport.ts";
import { beforeRetry, withRetry } from "./retry.ts";
import type { SendOptions, Transport } from "./transport.ts";
import { unavailable } from "./unavailable.ts";

export interface WireOptions extends Pick<CallOptions, "idempotencyKey" | "traceparent"> {
  readonly limits: Limits;
  /** `false`: sent once, whatever comes. Default: as the contract's row and the error table allow. */
  readonly repeat?: false;
}

/** What client, session and guard share: one identity, one transport, and what has been learnt about the server. */
export class Wire {
  readonly identity: Identity;
  /** Credentials that went through this client. They are nobody's to read but the program's. */
  readonly secrets: Secrets = createSecrets();
  readonly #timeoutMs: number;
  readonly #transport: Transport;
  readonly #background = new Set<Promise<unknown>>();
  readonly #closing = new Set<() => void>();
  readonly #end = new AbortController();
  #fused: boolean | undefined;
  #closed = false;

  constructor(options: ClientOptions) {
    this.identity = createIdentity(options);
    this.#timeoutMs = options.timeoutMs ?? 5000;
    this.#transport = createMcpTransport(options, this.identity);
  }

  /** Whether the server has `guard/begin`, and so is an authority of ours; undefined until a call has told. */
  get fused(): boolean | undefined {
    return this.#fused;
  }

  limits({ timeoutMs, signal }: Pick<CallOptions, "timeoutMs" | "signal"> = {}): Limits {
    return limitsOf(timeoutMs ?? this.#timeoutMs, signal);
  }

  /** An operation: ambient fields filled in, the answer checked against the row. */
  async call<K extends ToolKey>(
    key: K,
    input: JsonObject,
    options: WireOptions,
  ): Promise<ToolOutput<Tools[K]>> {
    this.#assertOpen();
    const row = tools[key];
    const filled = fillAmbient(key, plain(input), this.identity);
    const { repeat, ...rest } = options;
    if (key === "cred_store") this.#learn(filled);
    const send: SendOptions = { ...rest, actor: this.#speaker(filled["actor"]) };
    const ask = (): Promise<unknown> => this.#transport.call(row.id, filled, send);
    const keyed = rest.idempotencyKey !== undefined;
    const repeatable = () => row.readOnly || (keyed && this.isOurs(rest.limits));
    const answer = await (repeat === false ? ask() : withRetry(ask, rest.limits, repeatable));
    const checked = row.output.safeParse(answer);
    if (!checked.success) throw unavailable(`malformed answer: not the shape of ${row.id}`);
    if (key === "cred_fetch") this.#learn(checked.data);
    return checked.data as ToolOutput<Tools[K]>;
  }

  /** A method beside the operations, sent once unless `repeat` says that more do no harm. Remembers what the answer says about the server. */
  async request(
    method: string,
    params: JsonObject,
    { limits, repeat = false }: { limits: Limits; repeat?: boolean },
  ): Promise<unknown> {
    this.#assertOpen();
    const send = { limits, actor: this.#speaker(params["actor"]) };
    for (let attempt = 1; ; attempt++) {
      try {
        const result = resultOf(await this.#transport.request(method, params, send));
        this.#fused = true;
        return result;
      } catch (error) {
        if (method === "guard/begin" && isMissing(error, limits)) this.#fused = false;
        if (!repeat) throw error;
        await beforeRetry(error, attempt, { limits, repeatable: always });
      }
    }
  }

  /** Asks once with a request that no server can grant, so nothing is written. */
  async isOurs(limits: Limits): Promise<boolean> {
    if (this.#fused !== undefined) return this.#fused;
    try {
      await this.request("guard/begin", {}, { limits });
    } catch (error) {
      if (AgentKeysError.is(error, "invalid_params")) this.#fused = true;
      else if (!isMissing(error, limits)) throw error;
    }
    return this.#fused ?? false;
  }

  /** The actor's own approvals, as `watchApprovals` gives them, until the client closes. */
  watch({ signal, onReady }: Pick<Watching, "signal" | "onReady">): AsyncGenerator<Approval, void> {
    return watchApprovals({
      onReady,
      signal: eitherOf(this.#end.signal, signal),
      timeoutMs: this.#timeoutMs,
      connect: async (headers, stop) => {
        this.#assertOpen();
        const actor = this.identity.need("actor");
        return this.#transport.stream("/v1/approvals/stream", { actor, headers }, stop);
      },
    });
  }

  /** Lets a call finish that nobody waits for. Its failure is nobody's. */
  background(task: Promise<unknown>): void {
    const done = task
      .catch(() => {})
      .finally(() => {
        this.#background.delete(done);
      });
    this.#background.add(done);
  }

  /** Called when the client closes, before the connection ends. */
  onClose(hook: () => void): void {
    this.#closing.add(hook);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    for (const hook of this.#closing) hook();
    this.#closed = true;
    this.#end.abort();
    await Promise.all(this.#background);
    await this.#transport.close();
  }

  #learn(credential: unknown): void {
    const { service, content } = credential as { service?: unknown; content?: unknown };
    if (typeof service === "string" && typeof content === "string") {
      this.secrets.learn(service, content);
    }
  }

  #assertOpen(): void {
    if (this.#closed) throw new AgentKeysError("invalid_request", "the client is closed");
  }

  /** The header's actor is the client's own; a client without one speaks as whom the call names. */
  #speaker(named: unknown): string {
    const own = this.identity.have("actor");
    return own ?? (typeof named === "string" ? named : this.identity.need("actor"));
  }
}

const always = (): boolean => true;

/** What JSON can say without losing anything, or `invalid_params`. */
function plain(input: JsonObject): JsonObject {
  try {
    copyInput(input);
    // As it is: a number may be one of `JSON.rawJSON`, which no copy is.
    return input;
  } catch (error) {
    throw new AgentKeysError("invalid_params", (error as Error).message);
  }
}

/** The server has no such method: upstream's, or ours on its v1 surface. What an abort threw says nothing of the server. */
export function isMissing(error: unknown, { signal }: Limits): boolean {
  if (signal?.aborted === true) return false;
  return AgentKeysError.is(error, "method_not_found") || AgentKeysError.is(error, "tool_not_found");
}

// Registered, so that it survives a spread of the client and a second copy of this package.
const wireKey: unique symbol = Symbol.for("agentkeys.wire");

/** The properties that make an object a client of this wire. */
export function wireMark(wire: Wire): object {
  return { [wireKey]: wire };
}

export function wireOf(client: Client): Wire {
  const wire = (client as { [wireKey]?: Wire })[wireKey];
  if (wire !== undefined) return wire;
  throw new AgentKeysError("config_invalid", "client: expected what createClient returned");
}
