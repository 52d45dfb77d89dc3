import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { LogEntry } from "../kernel/store.ts";

interface Waiting {
  readonly entry: LogEntry;
  readonly settled: (error?: unknown) => void;
}

export interface GroupCommitOptions {
  /** Writes an entry inside the transaction that is open. */
  readonly write: (entry: LogEntry) => void;
  /** Told how many entries went into a commit, after its sync. */
  readonly onCommit?: ((entries: number) => void) | undefined;
}

/** Most entries of one transaction: the event loop waits for all of them. */
const maxEntries = 2000;

/**
 * One transaction, and with it one sync, for everything that waits. There is no linger timer: a lone entry is committed as soon as
 * the event loop has taken in what has arrived with it.
 */
export class GroupCommit {
  readonly #database: DatabaseSync;
  readonly #options: GroupCommitOptions;
  readonly #sql: Readonly<Record<"begin" | "commit" | "rollback", StatementSync>>;
  #queue: Waiting[] = [];
  #scheduled = false;
  #closed = false;

  constructor(database: DatabaseSync, options: GroupCommitOptions) {
    this.#database = database;
    this.#options = options;
    this.#sql = {
      begin: database.prepare("BEGIN IMMEDIATE"),
      commit: database.prepare("COMMIT"),
      rollback: database.prepare("ROLLBACK"),
    };
  }

  append(entry: LogEntry, settled: (error?: unknown) => void): void {
    if (this.#closed) return settled(new Error("the store is closed"));
    this.#queue.push({ entry, settled });
    if (!this.#scheduled) this.#schedule();
  }

  /** Commits what waits and refuses what comes later. */
  close(): void {
    this.#closed = true;
    while (this.#queue.length > 0) this.#drain();
  }

  #schedule(): void {
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#drain();
      if (this.#queue.length > 0 && !this.#scheduled) this.#schedule();
    });
  }

  #drain(): void {
    const batch = this.#queue.splice(0, maxEntries);
    if (batch.length === 0) return;
    try {
      this.#commit(batch);
    } catch (error) {
      // What waits behind them rests on them.
      batch.push(...this.#queue.splice(0));
      for (const { settled } of batch) settled(error);
      return;
    }
    this.#options.onCommit?.(batch.length);
    for (const { settled } of batch) settled();
  }

  #commit(batch: readonly Waiting[]): void {
    this.#sql.begin.run();
    try {
      for (const { entry } of batch) this.#options.write(entry);
      this.#sql.commit.run();
    } catch (error) {
      // A full disk may have ended the transaction already.
      if (this.#database.isTransaction) this.#sql.rollback.run();
      throw error;
    }
  }
}
