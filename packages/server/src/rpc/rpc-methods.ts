import {
  AgentKeysError,
  stringifySorted,
  type Surface,
  toolList,
  type WireValue,
} from "@agentkeys/contract";
import type { Caller } from "../access/auth.ts";
import type { Fields } from "./fields.ts";
import { fieldsOf, optionalText } from "./fields.ts";
import { guardApprovals, guardForget, guardWithdraw } from "../guard/guard-approvals.ts";
import { guardBegin } from "../guard/guard-begin.ts";
import { guardEnd } from "../guard/guard-end.ts";
import type { RpcContext, RpcRequest } from "./rpc-request.ts";
import type { Services } from "../services.ts";
import { callTool } from "./tool-call.ts";

/** Runs one method and gives its `result`: as JSON text, or as an object where a caller in this process may want it so. */
export function dispatch(
  context: RpcContext,
  request: RpcRequest,
): Promise<string | object> | string {
  const { services, caller } = context;
  const { jsonrpc, method, params } = request;
  if (jsonrpc !== "2.0") {
    throw new AgentKeysError("invalid_request", `unsupported jsonrpc version \`${jsonrpc}\``);
  }
  if (method === "tools/call") return callTool(context, params);
  if (method === "initialize") return initialize(fieldsOf(params));
  if (method === "ping") return "{}";
  if (method === "tools/list") return listTools(services.surface);
  const guard = services.surface === "default" ? guardMethods.get(method) : undefined;
  if (guard !== undefined) return guard(services, caller, fieldsOf(params));
  throw new AgentKeysError("method_not_found", `method not found: ${method}`);
}

type GuardMethod = (services: Services, caller: Caller, params: Fields) => Promise<object>;

const guardMethods: ReadonlyMap<string, GuardMethod> = new Map<string, GuardMethod>([
  ["guard/begin", guardBegin],
  ["guard/end", guardEnd],
  ["guard/withdraw", guardWithdraw],
  ["guard/approvals", guardApprovals],
  ["guard/forget", guardForget],
]);

const protocols = new Set(["2024-11-05", "2025-03-26"]);

function initialize(params: Fields): string {
  const asked = optionalText(params, "protocolVersion");
  const protocolVersion = asked !== undefined && protocols.has(asked) ? asked : "2025-03-26";
  return JSON.stringify({
    capabilities: { tools: { listChanged: false } },
    protocolVersion,
    serverInfo: { name: "agentkeys-mcp-server", version: "0.1.0" },
  });
}

const lists = new Map<Surface, string>();

function listTools(surface: Surface): string {
  let list = lists.get(surface);
  if (list === undefined) {
    list = stringifySorted({ tools: toolList(surface) as unknown as WireValue });
    lists.set(surface, list);
  }
  return list;
}
