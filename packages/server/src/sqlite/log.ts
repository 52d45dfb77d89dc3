import type { DatabaseSync } from "node:sqlite";
import type { LogEntry } from "../store.ts";

/** A record on its way into the log. */
export interface Sealed {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

type Listener = (entries: readonly LogEntry[]) => void;

interface Row {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

/**
 * Records per run of the hash index. A run is indexed when it is full, all at once: hashes are random, and one index over all of them
 * would rewrite a page for every record. A look-up costs about a microsecond per run, the newest first.
 */
const RUN = 2048;

const index = `
INSERT INTO log_runs (run, prefix, seq)
SELECT seq / ${RUN}, substr(hash, 1, 6), seq FROM log WHERE seq > ?1 - ${RUN} AND seq <= ?1 ORDER BY 2, 3`;

const byHash = `
WITH RECURSIVE newest (run) AS (SELECT coalesce(max(run), -1) FROM log_runs),
runs (run) AS (SELECT run FROM newest UNION ALL SELECT run - 1 FROM runs WHERE run > 0),
found (seq) AS (
  SELECT log.seq FROM newest CROSS JOIN log ON log.seq >= (newest.run + 1) * ${RUN} WHERE log.hash = ?1
  UNION ALL
  SELECT h.seq FROM runs CROSS JOIN log_runs h ON h.run = runs.run AND h.prefix = substr(?1, 1, 6)
)
SELECT log.bytes FROM found CROSS JOIN log USING (seq) WHERE log.hash = ?1 AND seq <= ?2 LIMIT 1`;

export function toHash(hash: Uint8Array): string {
  return `0x${Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex")}`;
}

/**
 * The log table. `append` belongs inside a transaction that `begin` opened; sequence numbers and entries are handed out there, and
 * can be read and are heard by listeners from `publish` on, when they are durable.
 */
export class Log {
  readonly #sql;
  readonly #listeners = new Set<Listener>();
  /** Last sequence number; undefined = to be read from disk, because a transaction failed. */
  #head: number | undefined;
  #durable: number;
  #fresh: LogEntry[] = [];

  constructor(database: DatabaseSync) {
    this.#sql = {
      head: database.prepare("SELECT coalesce(max(seq), 0) AS head FROM log"),
      insert: database.prepare("INSERT INTO log (seq, hash, bytes) VALUES (?, ?, ?)"),
      index: database.prepare(index),
      byHash: database.prepare(byHash),
      between: database.prepare(
        "SELECT seq, hash, bytes FROM log WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?",
      ),
    };
    this.#durable = this.#headOnDisk();
  }

  #headOnDisk(): number {
    return Number(this.#sql.head.get()?.["head"]);
  }

  begin(): void {
    this.#head ??= this.#headOnDisk();
  }

  /** The sequence number that the next record gets. */
  next(): number {
    if (this.#head === undefined) throw new Error("the log is written inside a transaction only");
    return this.#head + 1;
  }

  append({ hash, bytes }: Sealed): LogEntry {
    const seq = this.next();
    this.#sql.insert.run(seq, hash, bytes);
    if ((seq + 1) % RUN === 0) this.#sql.index.run(seq);
    this.#head = seq;
    const entry = { seq, envelope_hash: toHash(hash), bytes };
    this.#fresh.push(entry);
    return entry;
  }

  mark(): number {
    return this.#fresh.length;
  }

  /** Forgets what was appended after the mark; the caller has undone it in the database. */
  rewind(mark: number): void {
    if (this.#head !== undefined) this.#head -= this.#fresh.length - mark;
    this.#fresh.length = mark;
  }

  abandon(): void {
    this.#head = undefined;
    this.#fresh = [];
  }

  /** What the transaction appended that was just committed. */
  committed(): readonly LogEntry[] {
    const entries = this.#fresh;
    this.#fresh = [];
    return entries;
  }

  publish(entries: readonly LogEntry[]): void {
    const last = entries.at(-1);
    if (last === undefined) return;
    this.#durable = last.seq;
    for (const listener of this.#listeners) {
      try {
        listener(entries);
      } catch (error) {
        process.emitWarning(error instanceof Error ? error : String(error));
      }
    }
  }

  subscribe(listener: Listener): () => void {
    const own: Listener = (entries) => listener(entries);
    this.#listeners.add(own);
    return () => void this.#listeners.delete(own);
  }

  envelope(hash: string): Uint8Array | undefined {
    const digits = hash.startsWith("0x") ? hash.slice(2) : hash;
    if (!/^[0-9a-fA-F]{64}$/.test(digits)) return undefined;
    const row = this.#sql.byHash.get(Buffer.from(digits, "hex"), this.#durable);
    return row?.["bytes"] as Uint8Array | undefined;
  }

  entriesAfter(after: number, limit: number): LogEntry[] {
    const rows = this.#sql.between.all(after, this.#durable, limit) as unknown as Row[];
    return rows.map(({ seq, hash, bytes }) => ({ seq, envelope_hash: toHash(hash), bytes }));
  }
}
