export {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type Summary,
} from "./authority.ts";
export type { AuthorityConfig } from "./config-schema.ts";
export type { InProcessFetch } from "./fetch.ts";
export type { Listening, ListenOptions } from "./listener.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite/sqlite-store.ts";
export type {
  CapRow,
  Clock,
  EndResult,
  GuardCallRow,
  GuardOutcome,
  LogEntry,
  Store,
} from "./store.ts";
