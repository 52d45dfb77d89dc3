import type { DatabaseSync, StatementSync } from "node:sqlite";
import { AgentKeysError } from "@agentkeys/contract";
import type { Log } from "./log.ts";
import { reasonOf } from "./sqlite-error.ts";

/** Bounds of one transaction. A sync of 256 KiB costs little more than one of a row, but the event loop waits for both. */
const MAX_UNITS = 1000;
const MAX_BYTES = 256 << 10;

interface Unit {
  readonly size: number;
  readonly run: () => unknown;
  readonly resolve: (value: never) => void;
  readonly reject: (error: AgentKeysError) => void;
  value: unknown;
  failure: { readonly error: unknown } | undefined;
}

function notRecorded(error: unknown): AgentKeysError {
  const message = `audit_append failed: ${reasonOf(error)}`;
  return AgentKeysError.is(error)
    ? error
    : new AgentKeysError("audit_unavailable", message, { cause: error });
}

/**
 * One writer for everybody: units of work that wait while a commit is under way share the next transaction and its sync. There is
 * no linger timer: a lone unit is committed at once.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #sql: Readonly<
    Record<"begin" | "commit" | "rollback" | "savepoint" | "undo" | "release", StatementSync>
  >;
  #queue: Unit[] = [];
  #scheduled = false;
  #closed = false;

  constructor(database: DatabaseSync, log: Log) {
    this.#database = database;
    this.#log = log;
    this.#sql = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      commit: database.prepare("COMMIT"),
      rollback: database.prepare("ROLLBACK"),
      savepoint: database.prepare("SAVEPOINT unit"),
      undo: database.prepare("ROLLBACK TO unit"),
      release: database.prepare("RELEASE unit"),
    };
  }

  /**
   * Runs `run` inside the next transaction and resolves with its result after the commit. It may be run a second time when the
   * first transaction was rolled back, so it must touch nothing but the database. `size`: bytes that it writes, roughly.
   */
  submit<T>(size: number, run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#closed) return reject(closedError());
      this.#queue.push({ size, run, resolve, reject, value: undefined, failure: undefined });
      if (!this.#scheduled) this.#schedule();
    });
  }

  /** Commits what is queued and refuses what comes later. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#drain();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
      if (this.#queue.length > 0) this.#schedule();
    });
  }

  #drain(): void {
    const units = this.#take();
    if (units.length === 0) return;
    try {
      // A unit that failed left the others undecided: once more, each behind its own savepoint.
      if (!this.#attempt(units, false)) this.#attempt(units, true);
    } catch (error) {
      const failure = notRecorded(error);
      for (const unit of units) unit.reject(failure);
      return;
    }
    for (const { failure, value, resolve, reject } of units) {
      if (failure === undefined) resolve(value as never);
      else reject(notRecorded(failure.error));
    }
    this.#log.publish();
  }

  #take(): Unit[] {
    const queue = this.#queue;
    let count = 0;
    for (let bytes = 0; count < queue.length && count < MAX_UNITS && bytes < MAX_BYTES; count++) {
      bytes += queue[count]?.size ?? 0;
    }
    this.#queue = queue.slice(count);
    queue.length = count;
    return queue;
  }

  /** False when a unit failed and nothing was written; throws when the transaction failed as a whole. */
  #attempt(units: readonly Unit[], isolated: boolean): boolean {
    this.#sql.begin.run();
    try {
      this.#log.begin();
      for (const unit of units) {
        if (isolated) this.#runIsolated(unit);
        else if (!runPlain(unit)) {
          this.#rollback();
          return false;
        }
      }
      this.#sql.commit.run();
      return true;
    } catch (error) {
      this.#rollback();
      throw error;
    }
  }

  #runIsolated(unit: Unit): void {
    this.#sql.savepoint.run();
    const mark = this.#log.mark();
    if (!runPlain(unit)) {
      // A full disk may have ended the whole transaction.
      if (!this.#database.isTransaction) throw unit.failure?.error;
      this.#sql.undo.run();
      this.#log.rewind(mark);
    }
    this.#sql.release.run();
  }

  #rollback(): void {
    this.#log.abandon();
    if (this.#database.isTransaction) this.#sql.rollback.run();
  }
}

function runPlain(unit: Unit): boolean {
  try {
    unit.value = unit.run();
    unit.failure = undefined;
    return true;
  } catch (error) {
    unit.failure = { error };
    return false;
  }
}

function closedError(): AgentKeysError {
  return new AgentKeysError("audit_unavailable", "audit_append failed: the store is closed");
}
