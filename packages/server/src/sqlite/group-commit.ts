import type { DatabaseSync, StatementSync } from "node:sqlite";
import { AgentKeysError } from "@agentkeys/contract";
import type { Log } from "./log.ts";
import { reasonOf } from "./sqlite-error.ts";
import type { Sync } from "./wal-sync.ts";

/** Bounds of one transaction. A sync of 256 KiB costs little more than one of a row, but the event loop waits for both. */
const MAX_UNITS = 1000;
const MAX_BYTES = 256 << 10;
/** Batches that may start from rest in one turn of the event loop. */
const TURN = 8;

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
 * One writer for everybody. A batch is committed, then synced; what is asked for in the meantime is the next batch, and nobody is
 * answered before the sync of his own has returned. There is no linger timer: a lone unit is committed at once.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #log: Log;
  readonly #sync: Sync;
  readonly #sql: Readonly<
    Record<"begin" | "commit" | "rollback" | "savepoint" | "undo" | "release", StatementSync>
  >;
  #queue: Unit[] = [];
  /** Whether a batch is on its way; otherwise the queue is empty. */
  #busy = false;
  #started = 0;
  /** Why nothing is taken any more. */
  #refusal: AgentKeysError | undefined;
  #idle: (() => void) | undefined;

  constructor(database: DatabaseSync, log: Log, sync: Sync) {
    this.#database = database;
    this.#log = log;
    this.#sync = sync;
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
   * Runs `run` inside the next transaction and resolves with its result when that is durable. It may be run a second time when the
   * first transaction was rolled back, so it must touch nothing but the database. `size`: bytes that it writes, roughly.
   */
  submit<T>(size: number, run: () => T): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      if (this.#refusal !== undefined) return reject(this.#refusal);
      this.#queue.push({ size, run, resolve, reject, value: undefined, failure: undefined });
      if (!this.#busy) this.#start();
    });
  }

  /** Refuses what comes later; resolves when everything else is committed and synced. Once. */
  async close(): Promise<void> {
    this.#refusal ??= closedError();
    if (this.#busy) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  /**
   * The first batch is what has been asked for when this tick is over: whoever reads from sockets asks for all that they hold in one.
   * Now and then the event loop gets its turn before, or somebody who makes one call after the other would stop it.
   */
  #start(): void {
    this.#busy = true;
    this.#started += 1;
    if (this.#started % TURN === 0) setImmediate(this.#commitNext);
    else process.nextTick(this.#commitNext);
  }

  /** The next one is what has been asked for when this turn of the event loop is over. */
  #goOn(): void {
    if (this.#queue.length > 0) {
      setImmediate(this.#commitNext);
      return;
    }
    this.#busy = false;
    this.#idle?.();
  }

  readonly #commitNext = (): void => {
    const units = this.#take();
    try {
      // A unit that failed left the others undecided: once more, each behind its own savepoint.
      if (!this.#attempt(units, false)) this.#attempt(units, true);
    } catch (error) {
      rejectAll(units, notRecorded(error));
      this.#goOn();
      return;
    }
    const entries = this.#log.committed();
    const synced = (error: unknown): void => {
      if (error !== null) return this.#fail(units, error);
      settle(units);
      this.#log.publish(entries);
      this.#goOn();
    };
    // While nobody else waits, blocking is the quickest way.
    if (units.length === 1 && this.#queue.length === 0) synced(attemptOf(() => this.#sync.now()));
    else this.#sync.later(synced);
  };

  /** Nobody knows what a disk holds that failed to sync, and a second sync may call lost pages written. So this is the end. */
  #fail(units: readonly Unit[], error: unknown): void {
    this.#refusal = notRecorded(error);
    rejectAll(units, this.#refusal);
    rejectAll(this.#queue.splice(0), this.#refusal);
    this.#goOn();
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

function attemptOf(run: () => void): unknown {
  try {
    run();
    return null;
  } catch (error) {
    return error;
  }
}

function settle(units: readonly Unit[]): void {
  for (const { failure, value, resolve, reject } of units) {
    if (failure === undefined) resolve(value as never);
    else reject(notRecorded(failure.error));
  }
}

function rejectAll(units: readonly Unit[], error: AgentKeysError): void {
  for (const { reject } of units) reject(error);
}

function closedError(): AgentKeysError {
  return new AgentKeysError("audit_unavailable", "audit_append failed: the store is closed");
}
