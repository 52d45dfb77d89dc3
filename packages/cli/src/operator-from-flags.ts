import { createOperator, type Operator } from "@agentkeys/core";
import { UsageError } from "./exit-code.ts";

/** How every operator's command reaches its authority. */
export interface OperatorFlags {
  url?: string;
  token?: string;
  json?: true;
}

/** Flags win over the environment. `url` ends in /mcp. */
export function accessFromFlags(flags: OperatorFlags): { url: string; token: string } {
  const token = flags.token ?? process.env["AGENTKEYS_OPERATOR_TOKEN"] ?? "";
  if (token === "")
    throw new UsageError("no operator token: set AGENTKEYS_OPERATOR_TOKEN or pass --token");
  const url = flags.url ?? (process.env["AGENTKEYS_MCP_URL"] || "http://localhost:8088/mcp");
  if (!/^https?:/.test(url) || !URL.canParse(url))
    throw new UsageError("url: expected http://… or https://…, ending in /mcp");
  return { url, token };
}

/** Lets go of its connections whatever comes of it. */
export async function withOperator<T>(
  flags: OperatorFlags,
  use: (operator: Operator) => Promise<T>,
): Promise<T> {
  const operator = createOperator(accessFromFlags(flags));
  try {
    return await use(operator);
  } finally {
    await operator.close();
  }
}
