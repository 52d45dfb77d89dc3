import { writeSync } from "node:fs";
import type { Log, LogEntry } from "../client/log.ts";

const levels = ["error", "warn", "info", "debug"] as const;

/** JSON lines on standard output. `RUST_LOG` sets the level: its first bare word, or the most talkative of its directives. */
export function createProgramLog(filter: string | undefined): Log {
  const words = (filter ?? "info").split(",").map((word) => word.split("=").at(-1)?.toLowerCase());
  const allowed = Math.max(...words.map((word) => levelOf(word)));
  return (entry) => {
    if (levelOf(entry.level) <= allowed) write(entry);
  };
}

function write({ level, message, fields }: LogEntry): void {
  const line = JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
  try {
    writeSync(1, `${line}\n`);
  } catch {
    // Nobody reads: a log line is not worth the process.
  }
}

/** -1 = nothing at all. */
function levelOf(word: string | undefined): number {
  if (word === "trace") return levels.length;
  const level = levels.indexOf(word as (typeof levels)[number]);
  return word === "off" || level >= 0 ? level : levels.indexOf("info");
}
