import type {
  HookInput,
  SDKControlInitializeResponse,
  SDKControlRequest,
  SDKControlResponse,
  SDKUserMessage,
} from "@anthropic-ai/claude-agent-sdk";

export type Json = Record<string, unknown>;

type Request = SDKControlRequest["request"];
type Registered = Extract<Request, { subtype: "initialize" }>["hooks"];

/** What the SDK writes to Claude Code: its part of the protocol, and the conversation. */
export type Line = SDKControlRequest | SDKControlResponse | SDKUserMessage;

/** The SDK as Claude Code sees it through its two streams: what it registered, and what it is asked. */
export class ClaudeCodeHost {
  /** Names of the in-process MCP servers. */
  servers: readonly string[] = [];
  readonly #write: (line: string) => void;
  readonly #waiting = new Map<string, (response: SDKControlResponse["response"]) => void>();
  #hooks: NonNullable<Registered> = {};
  #id = 0;

  constructor(write: (line: string) => void) {
    this.#write = write;
  }

  say(message: Json): void {
    this.#write(JSON.stringify(message));
  }

  /** Whether the message was for the protocol, and not for the conversation. */
  takes(message: Line): boolean {
    if (message.type === "control_response") {
      const { response } = message;
      this.#waiting.get(response.request_id)?.(response);
      return true;
    }
    if (message.type !== "control_request") return false;
    const { request, request_id } = message;
    if (request.subtype === "initialize") {
      this.#hooks = request.hooks ?? {};
      this.servers = request.sdkMcpServers ?? [];
    }
    const response: SDKControlInitializeResponse = {
      commands: [],
      agents: [],
      models: [],
      account: {},
      output_style: "default",
      available_output_styles: [],
      hook_on_failure_supported: true,
      hooks_applied: true,
    };
    const answer: SDKControlResponse = {
      type: "control_response",
      response: { subtype: "success", request_id, response },
    };
    this.say(answer);
    return true;
  }

  /** Rejects with the SDK's error, or when the time (in seconds) is over. */
  ask(request: Request, seconds = 600): Promise<Json> {
    const request_id = `request-${++this.#id}`;
    const message: SDKControlRequest = { type: "control_request", request_id, request };
    this.say(message);
    return new Promise((resolve, reject) => {
      const late = (): void => {
        this.say({ type: "control_cancel_request", request_id });
        reject(new Error("timed out"));
      };
      const timer = setTimeout(late, seconds * 1000).unref();
      this.#waiting.set(request_id, (answer) => {
        clearTimeout(timer);
        if (answer.subtype === "error") reject(new Error(answer.error));
        else resolve(answer.response ?? {});
      });
    });
  }

  /** Every hook of an event, side by side. One that fails says nothing, or blocks where it is set to. */
  async fire(input: HookInput, tool_use_id?: string): Promise<Json[]> {
    const { hook_event_name: event } = input;
    const tool = "tool_name" in input ? input.tool_name : undefined;
    const matching = (this.#hooks[event] ?? []).filter(({ matcher = "" }) =>
      ["", "*"].includes(matcher) ? true : new RegExp(`^(?:${matcher})$`).test(String(tool)),
    );
    const answers = matching.flatMap(({ hookCallbackIds, onFailure, timeout }) =>
      hookCallbackIds.map((callback_id) =>
        this.ask(
          { subtype: "hook_callback", callback_id, input, ...(tool_use_id && { tool_use_id }) },
          timeout,
        ).catch(({ message }: Error): Json =>
          onFailure === "block" ? { decision: "block", reason: message } : {},
        ),
      ),
    );
    return Promise.all(answers);
  }

  /** A method of an in-process MCP server. Rejects with its error. */
  async mcp(server_name: string, method: string, params?: Json): Promise<Json> {
    const asked = params && { id: ++this.#id, params };
    const message = { jsonrpc: "2.0" as const, method, ...asked };
    const { mcp_response } = await this.ask({ subtype: "mcp_message", server_name, message });
    const { result, error } = mcp_response as { result?: Json; error?: { message: string } };
    if (result === undefined) throw new Error(error?.message);
    return result;
  }
}
