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

/** Records per run of the hash index. A look-up costs about a microsecond per run, the newest first. */
const RUN = 2048;

const select = `
WITH RECURSIVE runs (run) AS (
  SELECT (SELECT coalesce(max(seq), 0) FROM log) / ${RUN}
  UNION ALL SELECT run - 1 FROM runs WHERE run > 0
)
SELECT log.bytes FROM runs
CROSS JOIN log_hashes h ON h.run = runs.run AND h.prefix = ?
CROSS JOIN log ON log.seq = h.seq
WHERE log.hash = ? LIMIT 1`;

function prefixOf(hash: Uint8Array): number {
  let prefix = 0;
  for (let i = 0; i < 6; i++) prefix = prefix * 256 + (hash[i] ?? 0);
  return prefix;
}

export function toHash(hash: Uint8Array): string {
  return `0x${Buffer.from(hash.buffer, hash.byteOffset, hash.byteLength).toString("hex")}`;
}

/**
 * The log table. `append` belongs inside a transaction that `begin` opened; sequence numbers and entries are handed out there and
 * become visible to listeners by `publish`, after the commit.
 */
export class Log {
  readonly #sql;
  readonly #listeners = new Set<Listener>();
  /** Last sequence number; undefined = to be read from disk, because a transaction failed. */
  #head: number | undefined;
  #fresh: LogEntry[] = [];

  constructor(database: DatabaseSync) {
    this.#sql = {
      head: database.prepare("SELECT coalesce(max(seq), 0) AS head FROM log"),
      insert: database.prepare("INSERT INTO log (seq, hash, bytes) VALUES (?, ?, ?)"),
      index: database.prepare("INSERT INTO log_hashes (run, prefix, seq) VALUES (?, ?, ?)"),
      byHash: database.prepare(select),
      after: database.prepare(
        "SELECT seq, hash, bytes FROM log WHERE seq > ? ORDER BY seq LIMIT ?",
      ),
    };
  }

  begin(): void {
    this.#head ??= Number(this.#sql.head.get()?.["head"]);
  }

  /** The sequence number that the next record gets. */
  next(): number {
    if (this.#head === undefined) throw new Error("the log is written inside a transaction only");
    return this.#head + 1;
  }

  append({ hash, bytes }: Sealed): LogEntry {
    const seq = this.next();
    this.#sql.insert.run(seq, hash, bytes);
    this.#sql.index.run(Math.floor(seq / RUN), prefixOf(hash), seq);
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

  publish(): void {
    const entries = this.#fresh;
    if (entries.length === 0) return;
    this.#fresh = [];
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
    const bytes = Buffer.from(digits, "hex");
    return this.#sql.byHash.get(prefixOf(bytes), bytes)?.["bytes"] as Uint8Array | undefined;
  }

  entriesAfter(after: number, limit: number): LogEntry[] {
    const rows = this.#sql.after.all(after, limit) as unknown as Row[];
    return rows.map(({ seq, hash, bytes }) => ({ seq, envelope_hash: toHash(hash), bytes }));
  }
}
