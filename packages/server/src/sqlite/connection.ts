import type { DatabaseSync } from "node:sqlite";
import { AgentKeysError, type AuditEnvelope, encodeEnvelope } from "@agentkeys/contract";
import { createKeccak } from "hash-wasm";
import { GroupCommit } from "./group-commit.ts";
import { Log, type Sealed } from "./log.ts";

/** Bytes that a small row takes. */
const ROW_SIZE = 128;

/** The ways to use one database: reads at once, writes in a group commit that they resolve after. */
export interface Connection {
  readonly log: Log;
  /** Runs with the envelope encoded and hashed, outside the transaction. `extra`: bytes written beside the record. */
  record<T>(envelope: AuditEnvelope, run: (sealed: Sealed) => T, extra?: number): Promise<T>;
  recordIf<T>(envelope: AuditEnvelope | undefined, run: (sealed?: Sealed) => T): Promise<T>;
  /** Writes without a record. */
  write<T>(run: () => T): Promise<T>;
  read<T>(run: () => T): Promise<T>;
  /** Commits what was asked for before. False if it was closed already. */
  close(): boolean;
}

export async function createConnection(database: DatabaseSync): Promise<Connection> {
  const keccak = await createKeccak(256);
  const log = new Log(database);
  const commit = new GroupCommit(database, log);
  const seal = (envelope: AuditEnvelope): Sealed => {
    const bytes = encodeEnvelope(envelope);
    // WebAssembly: eight times as fast as the contract's keccak256, which is most of what a record costs in CPU time.
    return { bytes, hash: keccak.init().update(bytes).digest("binary") };
  };
  const write = <T>(run: () => T): Promise<T> => commit.submit(ROW_SIZE, run);
  const record = async <T>(
    envelope: AuditEnvelope,
    run: (sealed: Sealed) => T,
    extra = ROW_SIZE,
  ): Promise<T> => {
    const sealed = seal(envelope);
    return commit.submit(sealed.bytes.length + extra, () => run(sealed));
  };
  return {
    log,
    record,
    recordIf: (envelope, run) => (envelope === undefined ? write(run) : record(envelope, run)),
    write,
    async read(run) {
      if (!database.isOpen) {
        throw new AgentKeysError("authority_unavailable", "the store is closed");
      }
      return run();
    },
    close() {
      if (!database.isOpen) return false;
      commit.close();
      database.close();
      return true;
    },
  };
}
