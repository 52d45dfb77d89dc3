import { AgentKeysError } from "@agentkeys/contract";
import { type ChannelCredentials, type ChannelOptions, credentials } from "@grpc/grpc-js";

/** Where the runtime is and how the way there is secured. */
export interface GrpcTarget {
  /** `host:port`, or any name that gRPC resolves (`dns:///…`, `unix:…`). Default: 127.0.0.1:50051. */
  target?: string | undefined;
  /** TLS is the default; only this makes the connection plaintext. Then tokens travel readable. */
  allowInsecure?: boolean | undefined;
  /** What TLS uses beyond the system's certificates. */
  tls?: TlsOptions | undefined;
  /** Of the connection itself. */
  channel?: ChannelSettings | undefined;
}

export interface TlsOptions {
  /** PEM of the certificates that sign the runtime's. Default: the system's. */
  ca?: string | Uint8Array | undefined;
  /** PEM of this client's certificate, for mutual TLS. Goes with `key`. */
  cert?: string | Uint8Array | undefined;
  /** PEM of this client's private key. */
  key?: string | Uint8Array | undefined;
  /** The name that the runtime's certificate must bear. Default: the target's. */
  serverName?: string | undefined;
}

export interface ChannelSettings {
  /** Milliseconds between pings on an idle connection. Default: none. */
  keepaliveMs?: number | undefined;
  /** Milliseconds until an unanswered ping ends the connection. Default: 20,000. */
  keepaliveTimeoutMs?: number | undefined;
  /** Bytes of one message received. Default: 4 MiB. */
  maxReceiveBytes?: number | undefined;
  /** Further options of `@grpc/grpc-js`, by their own names. */
  options?: ChannelOptions | undefined;
}

export interface Channel {
  readonly target: string;
  readonly security: ChannelCredentials;
  readonly settings: ChannelOptions;
}

export function toChannel(options: GrpcTarget): Channel {
  const { target = "127.0.0.1:50051", tls, channel = {} } = options;
  if (/^https?:\/\//.test(target)) {
    throw invalid(`target: ${target} is a URL; write host:port, with allowInsecure for plaintext`);
  }
  return { target, security: security(options), settings: settings(channel, tls) };
}

function security({ allowInsecure = false, tls }: GrpcTarget): ChannelCredentials {
  if (allowInsecure && tls !== undefined) throw invalid("allowInsecure and tls exclude each other");
  if (allowInsecure) return credentials.createInsecure();
  const { ca, cert, key } = tls ?? {};
  if ((cert === undefined) !== (key === undefined)) throw invalid("tls: cert and key go together");
  return credentials.createSsl(toBuffer(ca), toBuffer(key), toBuffer(cert));
}

function settings(channel: ChannelSettings, tls: TlsOptions | undefined): ChannelOptions {
  const { keepaliveMs, keepaliveTimeoutMs, maxReceiveBytes, options } = channel;
  return {
    ...(keepaliveMs === undefined ? {} : { "grpc.keepalive_time_ms": keepaliveMs }),
    ...(keepaliveTimeoutMs === undefined
      ? {}
      : { "grpc.keepalive_timeout_ms": keepaliveTimeoutMs }),
    ...(maxReceiveBytes === undefined
      ? {}
      : { "grpc.max_receive_message_length": maxReceiveBytes }),
    ...(tls?.serverName === undefined
      ? {}
      : {
          "grpc.ssl_target_name_override": tls.serverName,
          "grpc.default_authority": tls.serverName,
        }),
    ...options,
  };
}

const toBuffer = (pem: string | Uint8Array | undefined): Buffer | null =>
  pem === undefined ? null : Buffer.from(pem);

const invalid = (message: string): AgentKeysError => new AgentKeysError("config_invalid", message);
