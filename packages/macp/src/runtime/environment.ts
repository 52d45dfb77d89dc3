import { keyType } from "./auth/key-set.ts";
import { settingReader, type Environment } from "./settings-reader.ts";

export type { Environment } from "./settings-reader.ts";

/** Durations are in ms, sizes in bytes. */
export interface ProgramSettings {
  readonly bind: { readonly host: string; readonly port: number };
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  /** Plaintext, and where nothing else is configured development authentication. */
  readonly insecure: boolean;
  /** Paths of PEM files. */
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** A directory; undefined = memory. */
  readonly dataDir: string | undefined;
  readonly strictRecovery: boolean;
  readonly policiesDir: string | undefined;
  readonly auth: AuthSettings;
  readonly limits: LimitSettings;
  readonly server: ServerSettings;
  readonly cleanupInterval: number;
  readonly sessionRetention: number;
  /** 0 = sessions stay on disk. */
  readonly diskRetention: number;
  readonly drain: number;
  readonly log: string | undefined;
}

export interface AuthSettings {
  /** JSON text, or the path of a file that holds it. */
  readonly tokens: { readonly json: string } | { readonly file: string } | undefined;
  readonly jwt: JwtSettings | undefined;
}

export interface JwtSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly jwks: { readonly json: string } | { readonly url: string };
  readonly ttl: number;
  readonly algorithms: readonly string[];
}

export interface LimitSettings {
  readonly maxPayloadBytes: number;
  readonly sessionStartsPerMinute: number;
  readonly messagesPerMinute: number;
  /** undefined = all sessions, as a client of 0.6.1 expects. */
  readonly listPageSize: number | undefined;
  readonly listMaxPageSize: number;
}

export interface ServerSettings {
  readonly maxConcurrentStreams: number;
  readonly requestTimeout: number;
}

const DEFAULT_BIND = { host: "127.0.0.1", port: 50_051 };

/** Reads the environment of the reference runtime. Throws `config_invalid`, naming each variable that is wrong. */
export function readEnvironment(env: Environment): ProgramSettings {
  const read = settingReader(env);
  // Has nothing to limit here: calls are judged one after another. A value that is none is still an error.
  read.whole("MACP_CONCURRENCY_LIMIT_PER_CONNECTION", { fallback: 64, least: 1 });
  const settings: ProgramSettings = {
    bind: read.address("MACP_BIND_ADDR") ?? DEFAULT_BIND,
    metrics: read.address("MACP_METRICS_ADDR"),
    insecure: read.flag("MACP_ALLOW_INSECURE"),
    tls: read.pair("MACP_TLS_CERT_PATH", "MACP_TLS_KEY_PATH"),
    dataDir: dataDirectory(read),
    strictRecovery: read.flag("MACP_STRICT_RECOVERY"),
    policiesDir: read.text("MACP_POLICIES_DIR"),
    auth: { tokens: tokens(read), jwt: jwt(read) },
    limits: {
      maxPayloadBytes: read.whole("MACP_MAX_PAYLOAD_BYTES", { fallback: 1_048_576, least: 1 }),
      sessionStartsPerMinute: read.whole("MACP_SESSION_START_LIMIT_PER_MINUTE", {
        fallback: 60,
        least: 1,
      }),
      messagesPerMinute: read.whole("MACP_MESSAGE_LIMIT_PER_MINUTE", { fallback: 600, least: 1 }),
      listPageSize:
        read.text("MACP_LIST_SESSIONS_DEFAULT_PAGE_SIZE") === undefined
          ? undefined
          : read.whole("MACP_LIST_SESSIONS_DEFAULT_PAGE_SIZE", { fallback: 100, least: 1 }),
      listMaxPageSize: read.whole("MACP_LIST_SESSIONS_MAX_PAGE_SIZE", {
        fallback: 1_000,
        least: 1,
      }),
    },
    server: {
      maxConcurrentStreams: read.whole("MACP_MAX_CONCURRENT_STREAMS", { fallback: 128, least: 1 }),
      requestTimeout: read.seconds("MACP_REQUEST_TIMEOUT_SECS", { fallback: 30, least: 1 }),
    },
    cleanupInterval: read.seconds("MACP_CLEANUP_INTERVAL_SECS", { fallback: 60, least: 1 }),
    sessionRetention: read.seconds("MACP_SESSION_RETENTION_SECS", { fallback: 3_600, least: 0 }),
    diskRetention: read.seconds("MACP_SESSION_DISK_RETENTION_SECS", { fallback: 0, least: 0 }),
    drain: read.seconds("MACP_SHUTDOWN_DRAIN_SECS", { fallback: 10, least: 0 }),
    log: read.text("RUST_LOG"),
  };
  read.finish();
  return settings;
}

type Read = ReturnType<typeof settingReader>;

function dataDirectory(read: Read): string | undefined {
  const backend = read.text("MACP_STORAGE_BACKEND") ?? "file";
  if (read.flag("MACP_MEMORY_ONLY")) return undefined;
  if (backend !== "file") {
    read.problem("MACP_STORAGE_BACKEND", `unknown storage backend ${JSON.stringify(backend)}`);
  }
  return read.text("MACP_DATA_DIR") ?? ".macp-data";
}

function tokens(read: Read): AuthSettings["tokens"] {
  const json = read.text("MACP_AUTH_TOKENS_JSON");
  const file = read.text("MACP_AUTH_TOKENS_FILE");
  if (json !== undefined) return { json };
  return file === undefined ? undefined : { file };
}

function jwt(read: Read): JwtSettings | undefined {
  const issuer = read.text("MACP_AUTH_ISSUER");
  if (issuer === undefined) return undefined;
  const json = read.text("MACP_AUTH_JWKS_JSON");
  const url = read.text("MACP_AUTH_JWKS_URL");
  if (json === undefined && url === undefined) {
    read.problem("MACP_AUTH_ISSUER", "needs MACP_AUTH_JWKS_JSON or MACP_AUTH_JWKS_URL");
  }
  return {
    issuer,
    audience: read.text("MACP_AUTH_AUDIENCE") ?? "macp-runtime",
    jwks: json === undefined ? { url: url ?? "" } : { json },
    ttl: read.seconds("MACP_AUTH_JWKS_TTL_SECS", { fallback: 300, least: 0 }),
    algorithms: algorithms(read),
  };
}

function algorithms(read: Read): string[] {
  const name = "MACP_AUTH_JWT_ALGS";
  const listed = read.list(name) ?? ["RS256", "ES256"];
  const unknown = listed.find((alg) => keyType(alg) === undefined);
  if (unknown !== undefined) read.problem(name, `unknown algorithm ${JSON.stringify(unknown)}`);
  return listed;
}
