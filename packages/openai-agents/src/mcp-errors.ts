import type { MCPServer } from "@openai/agents-core";
import { noteFailure } from "./watched-call.ts";
import { type Method, wrapMethods } from "./wrap-methods.ts";

/** The same server; a result that says `isError`, which the SDK makes a text like any other, is noted as a failure of the call. */
export function hearErrors(server: MCPServer): MCPServer {
  return wrapMethods(server, (method, name) =>
    name.startsWith("callTool") ? noting(method) : method,
  );
}

function noting(call: Method): Method {
  return async (...given) => {
    const result = await call(...given);
    // `callTool` gives the content alone, and leaves the mark on it.
    const { isError, content } = Object(result) as { isError?: unknown; content?: unknown };
    const marked = Object(content) as { isError?: unknown };
    if (isError === true || marked.isError === true) noteFailure();
    return result;
  };
}
