export {
  type Authority,
  type AuthorityOptions,
  createAuthority,
  type Summary,
} from "./authority.ts";
export type { AuthorityConfig } from "./config/config-schema.ts";
export type { InProcessFetch } from "./http/fetch.ts";
export type { Listening, ListenOptions } from "./http/listener.ts";
export { openSqliteStore, type SqliteStoreOptions } from "./sqlite/sqlite-store.ts";
export type {
  CapRow,
  Clock,
  EndResult,
  GuardCallRow,
  GuardOutcome,
  LogEntry,
  Store,
} from "./store/store.ts";
