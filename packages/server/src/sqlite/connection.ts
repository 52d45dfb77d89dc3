import type { DatabaseSync } from "node:sqlite";
import { AgentKeysError, type AuditEnvelope, encodeEnvelope, keccak256 } from "@agentkeys/contract";
import { walSize } from "./database.ts";
import { GroupCommit } from "./group-commit.ts";
import { Log, type Sealed } from "./log.ts";
import { openWalSync } from "./wal-sync.ts";

/** Bytes that a small row takes. */
const ROW_SIZE = 128;

/** The ways to use one database: reads at once, writes in a group commit that they resolve after. */
export interface Connection {
  readonly log: Log;
  /** Encodes and hashes. */
  seal(envelope: AuditEnvelope): Sealed;
  /** Runs with the envelope encoded and hashed, outside the transaction. `extra`: bytes written beside the record. */
  record<T>(envelope: AuditEnvelope, run: (sealed: Sealed) => T, extra?: number): Promise<T>;
  recordIf<T>(envelope: AuditEnvelope | undefined, run: (sealed?: Sealed) => T): Promise<T>;
  /** Writes; its records, if any, are sealed on the way. `size`: bytes, roughly. */
  write<T>(run: () => T, size?: number): Promise<T>;
  read<T>(run: () => T): Promise<T>;
  /** Commits what was asked for before. Once. */
  close(): Promise<void>;
}

export function createConnection(database: DatabaseSync): Connection {
  const sync = openWalSync(database, walSize);
  const log = new Log(database);
  const commit = new GroupCommit(database, log, sync);
  const seal = (envelope: AuditEnvelope): Sealed => {
    const bytes = encodeEnvelope(envelope);
    return { bytes, hash: keccak256(bytes) };
  };
  const write = <T>(run: () => T, size = ROW_SIZE): Promise<T> => commit.submit(size, run);
  const record = <T>(
    envelope: AuditEnvelope,
    run: (sealed: Sealed) => T,
    extra = ROW_SIZE,
  ): Promise<T> => {
    let sealed: Sealed;
    try {
      sealed = seal(envelope);
    } catch (error) {
      return Promise.reject(error);
    }
    return commit.submit(sealed.bytes.length + extra, () => run(sealed));
  };
  return {
    log,
    seal,
    record,
    recordIf: (envelope, run) => (envelope === undefined ? write(run) : record(envelope, run)),
    write,
    async read(run) {
      if (!database.isOpen) {
        throw new AgentKeysError("authority_unavailable", "the store is closed");
      }
      return run();
    },
    async close() {
      await commit.close();
      sync.close();
      database.close();
    },
  };
}
