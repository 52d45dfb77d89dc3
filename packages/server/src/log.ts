import { type Logger, pino } from "pino";

/** Paths that never reach a log, whoever passes an object on. */
const secret = ["authorization", "token", "content", "plaintext", "broker_sig", "password", "key"];

/** Structured lines on standard error; standard output belongs to the stdio transport. */
export function createLog(level = "warn"): Logger {
  const paths = secret.flatMap((name) => [name, `*.${name}`, `*.*.${name}`]);
  return pino(
    { level, redact: { paths, censor: "[redacted]" } },
    pino.destination({ fd: 2, sync: true }),
  );
}
