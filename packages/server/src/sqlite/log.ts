import type { DatabaseSync } from "node:sqlite";
import type { LogEntry } from "../store/store.ts";
import { callRuns, hashRuns } from "./log-runs.ts";

/** A record on its way into the log. */
export interface Sealed {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

/** The guarded call that a record is about: what its bytes do not say (JSON) where it begins, or how it ended. */
export interface CallNote {
  readonly begin_id: string;
  readonly call?: string;
  readonly outcome?: string;
}

type Listener = (entries: readonly LogEntry[]) => void;

interface Row {
  readonly seq: number;
  readonly hash: Uint8Array;
  readonly bytes: Uint8Array;
}

const byHash = `
WITH RECURSIVE newest (run) AS (SELECT coalesce(max(run), -1) FROM log_runs),
runs (run) AS (SELECT run FROM newest UNION ALL SELECT run - 1 FROM runs WHERE run > 0),
found (seq) AS (
  SELECT log.seq FROM newest CROSS JOIN log ON log.seq >= (newest.run + 1) * ${hashRuns.size} WHERE log.hash = :hash
  UNION ALL
  SELECT h.seq FROM runs CROSS JOIN log_runs h ON h.run = runs.run AND h.prefix = substr(:hash, 1, 6)
)
SELECT log.bytes FROM found CROSS JOIN log USING (seq) WHERE log.hash = :hash AND seq <= :durable LIMIT 1`;

export function toHash(hash: Uint8Array): string {
  return `0x${Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex")}`;
}

/**
 * The log table. `append` belongs inside a transaction; sequence numbers and entries are handed out there, and can be read and are
 * heard by listeners from `publish` on, when they are durable.
 */
export class Log {
  readonly #sql;
  readonly #listeners = new Set<Listener>();
  /** Last sequence number; undefined = to be read from disk, because a transaction failed. */
  #head: number | undefined;
  #durable: number;
  #fresh: LogEntry[] = [];
  readonly #runs;
  /** How often something that was appended has been undone. */
  undone = 0;

  constructor(database: DatabaseSync) {
    this.#runs = [hashRuns, callRuns].map(({ size, fill }) => {
      return { size, fill: database.prepare(fill) };
    });
    this.#sql = {
      head: database.prepare("SELECT coalesce(max(seq), 0) AS head FROM log"),
      insert: database.prepare(
        "INSERT INTO log (seq, hash, bytes, begin_id, call, outcome) VALUES (?, ?, ?, ?, ?, ?)",
      ),
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

  /** The sequence number that the next record gets. */
  next(): number {
    return (this.#head ??= this.#headOnDisk()) + 1;
  }

  append({ hash, bytes }: Sealed, about?: CallNote): LogEntry {
    const seq = this.next();
    const { begin_id = null, call = null, outcome = null } = about ?? {};
    this.#sql.insert.run(seq, hash, bytes, begin_id, call, outcome);
    if ((seq + 1) % callRuns.size === 0) this.#fillRuns(seq);
    this.#head = seq;
    const entry = { seq, envelope_hash: toHash(hash), bytes };
    this.#fresh.push(entry);
    return entry;
  }

  #fillRuns(last: number): void {
    for (const { size, fill } of this.#runs) if ((last + 1) % size === 0) fill.run({ last });
  }

  mark(): number {
    return this.#fresh.length;
  }

  /** Forgets what was appended after the mark; the caller has undone it in the database. */
  rewind(mark: number): void {
    if (this.#head !== undefined) this.#head -= this.#fresh.length - mark;
    this.#fresh.length = mark;
    this.undone += 1;
  }

  abandon(): void {
    this.#head = undefined;
    this.#fresh = [];
    this.undone += 1;
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
    const durable = this.#durable;
    const row = this.#sql.byHash.get({ hash: Buffer.from(digits, "hex"), durable });
    return row?.["bytes"] as Uint8Array | undefined;
  }

  entriesAfter(after: number, limit: number): LogEntry[] {
    const rows = this.#sql.between.all(after, this.#durable, limit) as unknown as Row[];
    return rows.map(({ seq, hash, bytes }) => ({ seq, envelope_hash: toHash(hash), bytes }));
  }
}
