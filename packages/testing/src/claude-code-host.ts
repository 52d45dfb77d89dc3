export type Json = Record<string, unknown>;

interface Matcher {
  matcher?: string;
  hookCallbackIds: string[];
  onFailure?: "continue" | "block";
  /** Seconds. */
  timeout?: number;
}

/** The SDK as Claude Code sees it through its two streams: what it registered, and what it is asked. */
export class ClaudeCodeHost {
  /** Names of the in-process MCP servers. */
  servers: readonly string[] = [];
  readonly #write: (line: string) => void;
  readonly #waiting = new Map<string, (response: Json) => void>();
  #hooks: Record<string, Matcher[]> = {};
  #id = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  say(message: Json): void {
    this.#write(JSON.stringify(message));
  }

  /** Whether the message was for the protocol, and not for the conversation. */
  takes({ type, response, request, request_id }: Json): boolean {
    if (type === "control_response") {
      const { request_id: id } = response as { request_id: string };
      this.#waiting.get(id)?.(response as Json);
      return true;
    }
    if (type !== "control_request") return false;
    const { hooks, sdkMcpServers } = request as {
      hooks?: Record<string, Matcher[]>;
      sdkMcpServers?: string[];
    };
    this.#hooks = hooks ?? this.#hooks;
    this.servers = sdkMcpServers ?? this.servers;
    const supported = { hook_on_failure_supported: true, hooks_applied: true };
    const answer = { commands: [], agents: [], ...supported };
    const success = { subtype: "success", request_id, response: answer };
    this.say({ type: "control_response", response: success });
    return true;
  }

  /** Rejects with the SDK's error, or when the time (in seconds) is over. */
  ask(request: Json, seconds = 600): Promise<Json> {
    const request_id = `request-${++this.#id}`;
    this.say({ type: "control_request", request_id, request });
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.say({ type: "control_cancel_request", request_id });
        reject(new Error("timed out"));
      };
      const timer = setTimeout(late, seconds * 1000).unref();
      this.#waiting.set(request_id, ({ subtype, error, response = {} }) => {
        clearTimeout(timer);
        if (subtype === "error") reject(new Error(String(error)));
        else resolve(response as Json);
      });
    });
  }

  /** Every hook of an event, side by side. One that fails says nothing, or blocks where it is set to. */
  async fire(input: Json & { hook_event_name: string }): Promise<Json[]> {
    const { hook_event_name: event, tool_name: tool, tool_use_id } = input;
    const matching = (this.#hooks[event] ?? []).filter(({ matcher = "" }) =>
      ["", "*"].includes(matcher) ? true : new RegExp(`^(?:${matcher})$`).test(String(tool)),
    );
    const answers = matching.flatMap(({ hookCallbackIds, onFailure, timeout }) =>
      hookCallbackIds.map((callback_id) =>
        this.ask({ subtype: "hook_callback", callback_id, input, tool_use_id }, timeout).catch(
          ({ message }: Error): Json =>
            onFailure === "block" ? { decision: "block", reason: message } : {},
        ),
      ),
    );
    return Promise.all(answers);
  }

  /** A method of an in-process MCP server. Rejects with its error. */
  async mcp(server_name: string, method: string, params?: Json): Promise<Json> {
    const message = { jsonrpc: "2.0", method, ...(params && { id: ++this.#id, params }) };
    const { mcp_response } = await this.ask({ subtype: "mcp_message", server_name, message });
    const { result, error } = mcp_response as { result?: Json; error?: { message: string } };
    if (result === undefined) throw new Error(error?.message);
    return result;
  }
}
