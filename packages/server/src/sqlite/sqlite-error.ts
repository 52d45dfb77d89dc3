/** SQLite's primary result code for a lock held by somebody else. */
const BUSY = 5;

interface SqliteError extends Error {
  readonly errcode: number;
  /** SQLite's fixed text for the code: no path, no statement, no value. */
  readonly errstr: string;
}

function isSqliteError(error: unknown): error is SqliteError {
  return error instanceof Error && "errcode" in error && "errstr" in error;
}

/** What went wrong, in words that hold no path and no value. */
export function reasonOf(error: unknown): string {
  if (isSqliteError(error)) return error.errstr;
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return typeof code === "string" ? code : "internal error";
}

export function isBusy(error: unknown): boolean {
  return isSqliteError(error) && (error.errcode & 0xff) === BUSY;
}
