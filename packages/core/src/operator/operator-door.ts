import { AgentKeysError, type Approval } from "@agentkeys/contract";
import { watchApprovals, type Watching } from "../approvals/approval-stream.ts";
import type { Limited } from "../approvals/approval-surface.ts";
import type { Fetch } from "../client/client-surface.ts";
import { eitherOf, type Limits, limitsOf, within } from "../transport/deadline.ts";
import { env } from "../client/env.ts";
import { readText } from "../transport/http.ts";
import { baseOf, type Door, openDoor } from "../transport/mcp-transport.ts";
import { readRoute } from "../transport/read-route.ts";
import { withRetry } from "../transport/retry.ts";

export interface OperatorOptions {
  /** The authority's `/mcp` URL; the operator's own addresses are derived from it. Default: `AGENTKEYS_MCP_URL`, else `http://localhost:8088/mcp`. */
  url?: string | undefined;
  /** Used in place of a connection: an embedded authority's `fetch`, or the platform's on the edge. Default: an undici pool. */
  fetch?: Fetch | undefined;
  /** The operator's bearer. Default: `AGENTKEYS_OPERATOR_TOKEN`. */
  token?: string | undefined;
  /** Deadline of every call in milliseconds. Default: 5000. */
  timeoutMs?: number | undefined;
}

interface PostOptions extends Limited {
  /** Whether sending it twice does no more than once. */
  readonly repeatable: boolean;
}

type Answer = Record<string, unknown>;

/** The operator's routes. Nothing is read from the environment and no connection is opened before the first call. */
export class OperatorDoor {
  readonly #options: OperatorOptions;
  readonly #end = new AbortController();
  #door: Promise<Door> | undefined;

  constructor(options: OperatorOptions) {
    this.#options = options;
  }

  async post(route: string, body: object, options: PostOptions): Promise<Answer> {
    const headers = { "content-type": "application/json", ...this.#bearer() };
    const limits = this.#limits(options);
    const { http, path } = await this.#open();
    const request = { path: baseOf(path) + route, headers, body: JSON.stringify(body) };
    const send = async (): Promise<Answer> =>
      readRoute(await within(limits, (stop) => http.post(request, stop)));
    return withRetry(send, limits, () => options.repeatable);
  }

  async get(route: string, options: Limited): Promise<Answer> {
    const headers = { accept: "application/json", ...this.#bearer() };
    const limits = this.#limits(options);
    const { http, path } = await this.#open();
    const request = { path: baseOf(path) + route, headers };
    const send = (): Promise<Answer> =>
      within(limits, async (stop) => {
        const reading = new AbortController();
        stop.onStop((reason) => reading.abort(reason));
        const { status, body } = await http.get(request, reading.signal);
        return readRoute({ status, retryAfter: undefined, body: await readText(body) });
      });
    return withRetry(send, limits, () => true);
  }

  /** Ends when the operator closes, too. */
  watch(route: string, { signal }: Pick<Watching, "signal">): AsyncGenerator<Approval, void> {
    return watchApprovals({
      signal: eitherOf(this.#end.signal, signal),
      timeoutMs: this.#options.timeoutMs ?? defaultMs,
      connect: async (headers, stop) => {
        const { http, path } = await this.#open();
        const request = { path: baseOf(path) + route, headers: { ...headers, ...this.#bearer() } };
        return http.get(request, stop);
      },
    });
  }

  async close(): Promise<void> {
    this.#end.abort();
    await (await this.#door?.catch(() => undefined))?.http.close();
  }

  #open(): Promise<Door> {
    return (this.#door ??= openDoor(this.#options.url, this.#options.fetch));
  }

  #limits({ timeoutMs, signal }: Limited): Limits {
    return limitsOf(timeoutMs ?? this.#options.timeoutMs ?? defaultMs, signal);
  }

  #bearer(): { authorization: string } {
    return { authorization: `Bearer ${tokenOf(this.#options)}` };
  }
}

const defaultMs = 5000;

function tokenOf({ token }: OperatorOptions): string {
  const found = token || env("AGENTKEYS_OPERATOR_TOKEN");
  if (found !== undefined && /^[\x21-\x7e]+$/.test(found)) return found;
  throw new AgentKeysError(
    "config_invalid",
    "missing or unusable operator's token: set the environment variable AGENTKEYS_OPERATOR_TOKEN or pass createOperator({ token })",
    { data: { variable: "AGENTKEYS_OPERATOR_TOKEN", option: "token" } },
  );
}
