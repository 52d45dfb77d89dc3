import { mkdirSync } from "node:fs";
import { statfs } from "node:fs/promises";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { AgentKeysError } from "@agentkeys/contract";
import type { Clock, Store } from "../store/store.ts";
import { createActors } from "./actors.ts";
import { createApprovalStore } from "./approval-store.ts";
import { createApprovalTables } from "./approval-tables.ts";
import { createBlobs } from "./blobs.ts";
import { createCaps } from "./caps.ts";
import { type Connection, createConnection } from "./connection.ts";
import { openDatabase, sqliteVersion, sqliteWarning } from "./database.ts";
import { lockDirectory } from "./directory-lock.ts";
import { createGuardCalls } from "./guard-calls.ts";
import { createLoggedCalls } from "./logged-calls.ts";
import { createMeet } from "./meet.ts";

export interface SqliteStoreOptions {
  /** Directory of the database, its lock and its keys, made with mode 0700 if need be; or ":memory:". */
  readonly data: string;
  /** Default `Date.now`. */
  readonly clock?: Clock;
  /** Bytes that the disk must have left for the store to call itself ready. Default 16 MiB. */
  readonly spare?: number;
  /** Told about an SQLite older than 3.51.3, which can corrupt a database. Default: `process.emitWarning`. */
  readonly warn?: (message: string) => void;
}

/**
 * The store on `node:sqlite`. Rejects with `config_invalid` when the directory is in use (and says by whom) or unusable, and when
 * the database is damaged, foreign or newer.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  const { data, clock = Date.now, spare = 16 << 20 } = options;
  const { warn = (text: string) => process.emitWarning(text) } = options;
  if (data === ":memory:") return createSqliteStore(openDatabase(data), clock, () => undefined);
  makeDirectory(data);
  const unlock = lockDirectory(data);
  try {
    const database = openDatabase(join(data, "authority.db"));
    const warning = sqliteWarning(sqliteVersion(database));
    if (warning !== undefined) warn(warning);
    const store = await createSqliteStore(database, clock, unlock);
    const ready = async () => {
      await requireSpare(data, spare);
      await store.ready();
    };
    return { ...store, ready };
  } catch (error) {
    unlock();
    throw error;
  }
}

/** A row may still fit where the next ones do not. */
async function requireSpare(directory: string, spare: number): Promise<void> {
  const { bavail, bsize } = await statfs(directory);
  if (bavail * bsize >= spare) return;
  throw new AgentKeysError("audit_unavailable", "audit_append failed: the disk is almost full");
}

function makeDirectory(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? "unusable";
    throw new AgentKeysError("config_invalid", `data directory ${directory}: ${code}`, { cause });
  }
}

/** The store on an open database. `released` is called once, after the database is closed. */
export async function createSqliteStore(
  database: DatabaseSync,
  clock: Clock,
  released: () => void,
): Promise<Store> {
  const connection = createConnection(database);
  const { log, record, write, read } = connection;
  const calls = createGuardCalls(createLoggedCalls(database, log));
  const tables = createApprovalTables(database, calls, connection);
  const { meet, keep } = createMeet(tables, calls, connection);
  const actors = createActors(database, log);
  const probe = database.prepare(
    "INSERT INTO readiness VALUES (1, ?) ON CONFLICT DO UPDATE SET checked_at = excluded.checked_at",
  );

  let closing: Promise<void> | undefined;
  return {
    ...createSecretStore(database, connection),
    ...createApprovalStore(connection, tables, meet),

    append: (envelope) => record(envelope, (sealed) => log.append(sealed)),
    envelope: (hash) => read(() => log.envelope(hash)),
    entriesAfter: (after, limit) => read(() => log.entriesAfter(after, limit)),
    subscribe: (listener) => log.subscribe(listener),

    revokeActor: (revocation, envelope, toDenied) =>
      record(envelope, (sealed) => {
        const revoked = actors.revoke(revocation, sealed);
        const waiting = tables.approvals.pendingOf(revocation.actor);
        for (const approval of waiting) tables.change(approval.id, toDenied(approval));
        return revoked;
      }),
    revokedActors: () => read(() => actors.revoked()),

    begin: (row, intent) => record(intent, (sealed) => calls.begin(row, sealed), 512),
    guardCall: (begin_id, actor) => read(() => calls.find(begin_id, actor)),
    end: ({ result, ...end }, toOutcome) =>
      write(() => {
        const ended = calls.end(end, (begun) => connection.seal(toOutcome(begun)));
        const stands = ended.kind === "ended" || ended.kind === "repeated";
        if (stands && result !== undefined) keep(end, result);
        return ended;
      }, result?.sealed.length),
    endBeforeBegin: (begin_id, actor) => write(() => calls.note(begin_id, actor, clock())),

    actorKey: async (actor, fresh) =>
      (await read(() => actors.key(actor))) ?? write(() => actors.putKey(actor, fresh)),

    ready: () => write(() => void probe.run(clock())),

    close: () => (closing ??= connection.close().then(released)),
  };
}

/** Notes, credentials and capabilities. */
function createSecretStore(database: DatabaseSync, { log, record, recordIf, read }: Connection) {
  const caps = createCaps(database, log);
  const memories = createBlobs(database, log, "memories");
  const credentials = createBlobs(database, log, "credentials");
  return {
    putMemory: ({ actor, namespace, blob }, envelope) => {
      const row = { owner: actor, name: namespace, blob };
      return record(envelope, (sealed) => memories.put(row, sealed), blob.length);
    },
    memory: (actor, namespace) => read(() => memories.find(actor, namespace)),
    putCredential: ({ owner, service, blob }, envelope) => {
      const row = { owner, name: service, blob };
      return record(envelope, (sealed) => credentials.put(row, sealed), blob.length);
    },
    credential: (owner, service) => read(() => credentials.find(owner, service)),

    putCap: (cap, envelope) => recordIf(envelope, (sealed) => caps.put(cap, sealed)),
    cap: (nonce) => read(() => caps.find(nonce)),
    revokeCap: (nonce, at, envelope) =>
      recordIf(envelope, (sealed) => caps.revoke(nonce, at, sealed)),
  } satisfies Partial<Store>;
}
