import { AgentKeysError, modelTools, type ToolKey, tools, type ToolRow } from "@agentkeys/contract";
import { dropAmbient } from "./ambient.ts";
import { createClientApprovals } from "../approvals/client-approvals.ts";
import type { Client, ClientOptions } from "./client-surface.ts";
import { createOperations } from "./operations.ts";
import { createSession } from "./session.ts";
import { Wire, wireMark } from "../transport/wire.ts";

const rows: Readonly<Record<string, ToolRow>> = Object.freeze(
  Object.fromEntries(modelTools("default").map((key) => [key, tools[key]])),
);

/**
 * A client of one authority under one identity. Nothing is read from the environment and no connection is opened before the
 * first call; a missing variable rejects the call that needs it, with `config_invalid`.
 */
export function createClient(options: ClientOptions = {}): Client {
  const wire = new Wire(options);
  const close = (): Promise<void> => wire.close();
  return Object.freeze({
    ...createOperations(async (key, input, call) => {
      return wire.call(key, input, { ...call, limits: wire.limits(call) });
    }),
    approvals: createClientApprovals(wire),
    rows,
    async call(name: string, input: unknown, call: { signal?: AbortSignal } = {}) {
      const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
      if (row === undefined) throw new AgentKeysError("tool_not_found", `tool not found: ${name}`);
      return wire.call(name as ToolKey, dropAmbient(row, input), { limits: wire.limits(call) });
    },
    session: async (session = {}) => createSession(wire, session),
    close,
    [Symbol.asyncDispose]: close,
    ...wireMark(wire),
  } satisfies Client);
}
