import { UsageError } from "./exit-code.ts";

/** `HOST:PORT`, `[::1]:PORT` or `:PORT` (then 127.0.0.1). Port 0 takes a free one. */
export function parseListen(text: string): { host: string; port: number } {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) {
    throw new UsageError(`--listen ${text}: expected HOST:PORT, for example 127.0.0.1:8088`);
  }
  return { host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || host.startsWith("127.");
}

/** Resolves at the first SIGTERM or SIGINT, or when the signal given aborts. */
export function interrupted(): Promise<void> {
  return new Promise((done) => {
    process.once("SIGTERM", () => done());
    process.once("SIGINT", () => done());
  });
}
