import { createMacpClient as createOver, type MacpClient } from "./client/client.ts";
import type { ClientSettings } from "./client/client-surface.ts";
import type { GrpcTarget } from "./transports/grpc-channel.ts";
import { createGrpcTransport } from "./transports/grpc-transport.ts";

export type { MacpClient } from "./client/client.ts";
export type { ClientSettings } from "./client/client-surface.ts";
export { bearer, devAgent } from "./protocol/auth.ts";
export type { ChannelSettings, GrpcTarget, TlsOptions } from "./transports/grpc-channel.ts";
export { createGrpcTransport } from "./transports/grpc-transport.ts";

/** A client of a runtime over gRPC: TLS, unless `allowInsecure` says otherwise. */
export function createMacpClient(options: ClientSettings & GrpcTarget = {}): MacpClient {
  const { target, allowInsecure, tls, channel, ...settings } = options;
  return createOver({
    ...settings,
    transport: createGrpcTransport({ target, allowInsecure, tls, channel }),
  });
}
