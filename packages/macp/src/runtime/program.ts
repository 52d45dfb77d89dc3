import { readFileSync } from "node:fs";
import { AgentKeysError } from "@agentkeys/contract";
import type { Log } from "../client/log.ts";
import type { Store } from "../kernel/store.ts";
import { readKeySet } from "./auth/key-set.ts";
import { readStaticTokens } from "./auth/static-tokens.ts";
import type { RuntimeAuth } from "./authentication.ts";
import { createRuntime, type Runtime } from "./create-runtime.ts";
import {
  readEnvironment,
  type AuthSettings,
  type Environment,
  type ProgramSettings,
} from "./environment.ts";
import { serveMetrics } from "./metrics-server.ts";
import { readPolicies } from "./policies-directory.ts";
import { createProgramLog } from "./program-log.ts";

export interface Program {
  /** Where it listens, `address:port`. */
  readonly target: string;
  /** Drains and closes everything. */
  stop(): Promise<void>;
}

/** The runtime as the environment describes it. Rejects with `config_invalid`, whose text names the variable. */
export async function startProgram(env: Environment): Promise<Program> {
  const settings = readEnvironment(env);
  const log = createProgramLog(settings.log);
  const auth = readAuth(settings.auth);
  const tls = readTls(settings, auth);
  if (auth === undefined) {
    const fields = { because: "MACP_ALLOW_INSECURE" };
    log({ level: "warn", message: "every caller names itself", fields });
  }
  const runtime = await openRuntime(settings, auth, log);
  const listener = await runtime.listen({
    ...settings.bind,
    ...(tls === undefined ? {} : { tls }),
    allowInsecure: settings.insecure,
    maxConcurrentStreams: settings.server.maxConcurrentStreams,
    requestTimeoutMs: settings.server.requestTimeout,
  });
  const metrics = settings.metrics && (await serveMetrics(settings.metrics, runtime.metrics));
  const fields = { target: listener.target, tls: tls !== undefined };
  log({ level: "info", message: "listening", fields });
  return {
    target: listener.target,
    async stop() {
      await listener.close({ drainMs: settings.drain });
      await metrics?.close();
      await runtime.close();
      log({ level: "info", message: "stopped", fields: {} });
    },
  };
}

async function openRuntime(
  settings: ProgramSettings,
  auth: RuntimeAuth | undefined,
  log: Log,
): Promise<Runtime> {
  const { limits, dataDir, policiesDir } = settings;
  const runtime = createRuntime({
    ...(policiesDir === undefined ? {} : { policies: readPolicies(policiesDir) }),
    ...(dataDir === undefined ? {} : { store: await openStore(dataDir) }),
    ...(auth === undefined ? {} : { auth }),
    limits: {
      maxPayloadBytes: limits.maxPayloadBytes,
      sessionStartsPerMinute: limits.sessionStartsPerMinute,
      messagesPerMinute: limits.messagesPerMinute,
      ...(limits.listPageSize === undefined ? {} : { listPageSize: limits.listPageSize }),
      listMaxPageSize: limits.listMaxPageSize,
      sessionRetentionMs: settings.sessionRetention,
      diskRetentionMs: settings.diskRetention,
    },
    sweepEveryMs: settings.cleanupInterval,
  });
  const { failed } = runtime.kernel.restored;
  for (const { sessionId, reason } of failed) {
    const fields = { session_id: sessionId, reason };
    log({ level: "error", message: "a session cannot be read back", fields });
  }
  if (settings.strictRecovery && failed.length > 0) {
    await runtime.close();
    throw invalid(`MACP_STRICT_RECOVERY: ${failed.length} sessions cannot be read back`);
  }
  return runtime;
}

/** SQLite is loaded where it is used. */
async function openStore(directory: string): Promise<Store> {
  const { openSqliteStore } = await import("../storage/sqlite-store.ts");
  return openSqliteStore({ directory });
}

function readAuth({ tokens, jwt }: AuthSettings): RuntimeAuth | undefined {
  if (tokens === undefined && jwt === undefined) return undefined;
  if (jwt !== undefined && "json" in jwt.jwks) {
    const { json } = jwt.jwks;
    named("MACP_AUTH_JWKS_JSON", () => readKeySet(json));
  }
  return {
    ...(tokens === undefined ? {} : { tokens: readTokens(tokens) }),
    ...(jwt === undefined ? {} : { jwt: { ...jwt, ttlMs: jwt.ttl } }),
  };
}

function readTokens(from: { readonly json: string } | { readonly file: string }) {
  if ("json" in from) return named("MACP_AUTH_TOKENS_JSON", () => readStaticTokens(from.json));
  const name = "MACP_AUTH_TOKENS_FILE";
  return named(name, () => readStaticTokens(readFileSync(from.file, "utf8")));
}

/** Refuses what would let everybody be anybody, unless the environment says that this is meant. */
function readTls({ tls, insecure }: ProgramSettings, auth: RuntimeAuth | undefined) {
  if (auth === undefined && !insecure) {
    throw invalid(
      "no authentication configured: set MACP_AUTH_TOKENS_JSON, MACP_AUTH_TOKENS_FILE or MACP_AUTH_ISSUER, " +
        "or MACP_ALLOW_INSECURE=1 to let every caller name itself",
    );
  }
  if (tls === undefined && !insecure) {
    throw invalid(
      "TLS is required: set MACP_TLS_CERT_PATH and MACP_TLS_KEY_PATH, or MACP_ALLOW_INSECURE=1",
    );
  }
  return (
    tls && {
      cert: named("MACP_TLS_CERT_PATH", () => readFileSync(tls.cert)),
      key: named("MACP_TLS_KEY_PATH", () => readFileSync(tls.key)),
    }
  );
}

/** Whatever goes wrong is said of the variable. */
function named<T>(name: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw invalid(`${name}: ${(error as Error).message}`);
  }
}

function invalid(message: string): AgentKeysError {
  return new AgentKeysError("config_invalid", message);
}
