import { expect, test } from "vitest";
import { readEnvironment } from "./environment.ts";

test("an empty environment is the reference runtime's defaults", () => {
  expect(readEnvironment({})).toEqual({
    bind: { host: "127.0.0.1", port: 50_051 },
    metrics: undefined,
    insecure: false,
    tls: undefined,
    dataDir: ".macp-data",
    strictRecovery: false,
    policiesDir: undefined,
    auth: { tokens: undefined, jwt: undefined },
    limits: {
      maxPayloadBytes: 1_048_576,
      sessionStartsPerMinute: 60,
      messagesPerMinute: 600,
      listPageSize: undefined,
      listMaxPageSize: 1_000,
    },
    server: { maxConcurrentStreams: 128, requestTimeout: 30_000 },
    cleanupInterval: 60_000,
    sessionRetention: 3_600_000,
    diskRetention: 0,
    drain: 10_000,
    log: undefined,
  });
});

test("every variable", () => {
  const settings = readEnvironment({
    MACP_BIND_ADDR: "[::1]:0",
    MACP_METRICS_ADDR: "127.0.0.1:9090",
    MACP_ALLOW_INSECURE: "1",
    MACP_TLS_CERT_PATH: "cert.pem",
    MACP_TLS_KEY_PATH: "key.pem",
    MACP_MEMORY_ONLY: "0",
    MACP_STORAGE_BACKEND: "file",
    MACP_DATA_DIR: "data",
    MACP_STRICT_RECOVERY: "1",
    MACP_POLICIES_DIR: "policies",
    MACP_AUTH_TOKENS_FILE: "tokens.json",
    MACP_AUTH_ISSUER: "issuer",
    MACP_AUTH_AUDIENCE: "audience",
    MACP_AUTH_JWKS_URL: "https://issuer.example/jwks",
    MACP_AUTH_JWKS_TTL_SECS: "5",
    MACP_AUTH_JWT_ALGS: "RS256, HS256",
    MACP_MAX_PAYLOAD_BYTES: "64",
    MACP_SESSION_START_LIMIT_PER_MINUTE: "2",
    MACP_MESSAGE_LIMIT_PER_MINUTE: "3",
    MACP_LIST_SESSIONS_DEFAULT_PAGE_SIZE: "4",
    MACP_LIST_SESSIONS_MAX_PAGE_SIZE: "5",
    MACP_CONCURRENCY_LIMIT_PER_CONNECTION: "6",
    MACP_MAX_CONCURRENT_STREAMS: "7",
    MACP_REQUEST_TIMEOUT_SECS: "8",
    MACP_CLEANUP_INTERVAL_SECS: "9",
    MACP_SESSION_RETENTION_SECS: "10",
    MACP_SESSION_DISK_RETENTION_SECS: "11",
    MACP_SHUTDOWN_DRAIN_SECS: "0",
    RUST_LOG: "warn",
  });
  expect(settings).toEqual({
    bind: { host: "::1", port: 0 },
    metrics: { host: "127.0.0.1", port: 9_090 },
    insecure: true,
    tls: { cert: "cert.pem", key: "key.pem" },
    dataDir: "data",
    strictRecovery: true,
    policiesDir: "policies",
    auth: {
      tokens: { file: "tokens.json" },
      jwt: {
        issuer: "issuer",
        audience: "audience",
        jwks: { url: "https://issuer.example/jwks" },
        ttl: 5_000,
        algorithms: ["RS256", "HS256"],
      },
    },
    limits: {
      maxPayloadBytes: 64,
      sessionStartsPerMinute: 2,
      messagesPerMinute: 3,
      listPageSize: 4,
      listMaxPageSize: 5,
    },
    server: { maxConcurrentStreams: 7, requestTimeout: 8_000 },
    cleanupInterval: 9_000,
    sessionRetention: 10_000,
    diskRetention: 11_000,
    drain: 0,
    log: "warn",
  });
});

test("memory needs no directory and no backend", () => {
  const settings = readEnvironment({ MACP_MEMORY_ONLY: "1", MACP_STORAGE_BACKEND: "redis" });
  expect(settings.dataDir).toBeUndefined();
});

test.each([
  ["MACP_STORAGE_BACKEND", "redis", "unknown storage backend"],
  ["MACP_STORAGE_BACKEND", "rocksdb", "unknown storage backend"],
  ["MACP_BIND_ADDR", "localhost:50051", "MACP_BIND_ADDR"],
  ["MACP_BIND_ADDR", "127.0.0.1", "MACP_BIND_ADDR"],
  ["MACP_BIND_ADDR", "127.0.0.1:70000", "MACP_BIND_ADDR"],
  ["MACP_BIND_ADDR", "999.0.0.1:1", "MACP_BIND_ADDR"],
  ["MACP_SESSION_START_LIMIT_PER_MINUTE", "0", "MACP_SESSION_START_LIMIT_PER_MINUTE"],
  ["MACP_MESSAGE_LIMIT_PER_MINUTE", "0", "MACP_MESSAGE_LIMIT_PER_MINUTE"],
  ["MACP_MAX_PAYLOAD_BYTES", "1e6", "MACP_MAX_PAYLOAD_BYTES"],
  ["MACP_SHUTDOWN_DRAIN_SECS", "-1", "MACP_SHUTDOWN_DRAIN_SECS"],
  ["MACP_TLS_CERT_PATH", "cert.pem", "MACP_TLS_KEY_PATH"],
  ["MACP_AUTH_ISSUER", "issuer", "MACP_AUTH_JWKS_JSON"],
])("%s=%s is refused", (name, value, text) => {
  expect(() => readEnvironment({ [name]: value })).toThrow(text);
});

test("an algorithm that nobody may allow is refused", () => {
  const env = {
    MACP_AUTH_ISSUER: "i",
    MACP_AUTH_JWKS_JSON: "{}",
    MACP_AUTH_JWT_ALGS: "RS256,none",
  };
  expect(() => readEnvironment(env)).toThrow('MACP_AUTH_JWT_ALGS: unknown algorithm "none"');
});

test("everything that is wrong is said at once", () => {
  const env = { MACP_BIND_ADDR: "x", MACP_MESSAGE_LIMIT_PER_MINUTE: "x" };
  expect(() => readEnvironment(env)).toThrow(/MACP_BIND_ADDR.*MACP_MESSAGE_LIMIT_PER_MINUTE/);
});
