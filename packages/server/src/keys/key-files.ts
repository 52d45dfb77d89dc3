import {
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  writeSync,
} from "node:fs";
import { dirname } from "node:path";
import { AgentKeysError } from "@agentkeys/contract";

/** Permission bits of group and others. */
const OTHERS = 0o077;

/**
 * The text of a secret file, made from `fresh` where there is none (directory 0700, file 0600). Of two processes that make it at
 * once, both read what the first wrote. `warn` hears about a file that others can read.
 */
export function readOrMakeKeyFile(
  file: string,
  fresh: () => string,
  warn: (message: string) => void,
): string {
  try {
    return read(file, warn) ?? make(file, fresh()) ?? read(file, warn) ?? unusable(file, "ENOENT");
  } catch (cause) {
    if (AgentKeysError.is(cause)) throw cause;
    return unusable(file, (cause as NodeJS.ErrnoException).code ?? "unreadable", cause);
  }
}

function unusable(file: string, problem: string, cause?: unknown): never {
  throw new AgentKeysError("config_invalid", `key file ${file}: ${problem}`, { cause });
}

function read(file: string, warn: (message: string) => void): string | undefined {
  const stats = statSync(file, { throwIfNoEntry: false });
  if (stats === undefined) return undefined;
  // Windows has no such bits.
  if (process.platform !== "win32" && (stats.mode & OTHERS) !== 0) {
    const mode = (stats.mode & 0o777).toString(8);
    warn(`key file ${file} has mode ${mode}, so others may read it: chmod 600 it`);
  }
  return readFileSync(file, "utf8");
}

/** Written aside, synced, then linked into place: a crash leaves no half-written key. Undefined if somebody else was first. */
function make(file: string, text: string): string | undefined {
  mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
  const aside = `${file}.${process.pid}`;
  const handle = openSync(aside, "w", 0o600);
  try {
    writeSync(handle, text);
    fsyncSync(handle);
    linkSync(aside, file);
    syncDirectory(dirname(file));
    syncDirectory(dirname(dirname(file)));
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return undefined;
    throw error;
  } finally {
    closeSync(handle);
    rmSync(aside, { force: true });
  }
}

/** A file's name is durable only with its directory. Windows cannot and need not sync one. */
function syncDirectory(directory: string): void {
  if (process.platform === "win32") return;
  const handle = openSync(directory, "r");
  try {
    fsyncSync(handle);
  } finally {
    closeSync(handle);
  }
}
