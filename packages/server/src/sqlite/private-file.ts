import { closeSync, existsSync, openSync } from "node:fs";

/**
 * Makes an empty file with mode 0600 where there is none. A file that exists is not even opened: closing it would drop the locks that
 * this process holds on it through SQLite (POSIX locks belong to process and file, not to the handle).
 */
export function ensurePrivateFile(file: string): void {
  if (existsSync(file)) return;
  try {
    closeSync(openSync(file, "wx", 0o600));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}
