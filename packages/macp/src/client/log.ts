/** One line of a client's log. Never holds a credential or a payload. */
export interface LogEntry {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly message: string;
  readonly fields: Readonly<Record<string, string | number | boolean>>;
}

/** Takes the lines: `({ level, message, fields }) => pino[level](fields, message)`. */
export type Log = (entry: LogEntry) => void;
