import { AgentKeysError } from "@agentkeys/contract";
import { macpVersion } from "../protocol/constants.ts";
import { createSessionModes, type SessionModes } from "../sessions/session-modes.ts";
import { createAmbientCalls } from "./ambient-calls.ts";
import { createCalls } from "./calls.ts";
import type { ClientOptions, ProtocolClient } from "./client-surface.ts";
import { openMessageStream } from "./message-stream.ts";
import { createRegistryCalls } from "./registry-calls.ts";
import { toBackoff } from "./retry.ts";
import { createSessionCalls } from "./session-calls.ts";
import { createWatchers } from "./watchers.ts";

export type MacpClient = ProtocolClient & SessionModes;

/** A client over any transport. Nothing is sent before the first call. */
export function createMacpClient(options: ClientOptions): MacpClient {
  const { auth, timeoutMs = 5000, log = () => {}, clientInfo } = options;
  const transport = options.transport ?? options.runtime?.connect();
  if (transport === undefined) {
    throw new AgentKeysError(
      "config_invalid",
      "createMacpClient: neither a runtime nor a transport",
    );
  }
  const backoff = toBackoff(options.retry);
  const ending = new AbortController();
  const call = createCalls({ transport, auth, timeoutMs, backoff, log });
  const sessionCalls = createSessionCalls(call, auth);
  const close = async (): Promise<void> => {
    ending.abort();
    await transport.close();
  };
  const client: ProtocolClient = {
    auth,
    transport,
    initialize: async (how) =>
      call(
        "initialize",
        { supportedProtocolVersions: [macpVersion], ...(clientInfo && { clientInfo }) },
        {
          options: how,
          read: (answer) => ({
            protocolVersion: answer.selectedProtocolVersion,
            runtime: answer.runtimeInfo,
            capabilities: answer.capabilities,
            modes: answer.supportedModes,
            instructions: answer.instructions,
          }),
        },
      ),
    openStream: (how = {}) => openMessageStream(transport, { ...how, auth: how.auth ?? auth }),
    ...sessionCalls,
    ...createAmbientCalls(sessionCalls.send),
    ...createRegistryCalls(call),
    ...createWatchers({ transport, auth, backoff, closed: ending.signal, log }),
    close,
    [Symbol.asyncDispose]: close,
  };
  return { ...client, ...createSessionModes({ ...client, backoff, log, closed: ending.signal }) };
}
