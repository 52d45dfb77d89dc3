export type { PolicyDefinition } from "./client/policy-info.ts";
export type { Kernel } from "./kernel/kernel.ts";
export type { Store } from "./kernel/store.ts";
export type { StaticToken } from "./runtime/auth/static-tokens.ts";
export type { JwtAuth, RuntimeAuth } from "./runtime/authentication.ts";
export {
  createRuntime,
  type Runtime,
  type RuntimeLimits,
  type RuntimeOptions,
} from "./runtime/create-runtime.ts";
export type { ServerTls } from "./runtime/grpc/server.ts";
export type { Listener, ListenOptions } from "./runtime/listen.ts";
export { createMemoryStore } from "./storage/memory-store.ts";
export { openSqliteStore } from "./storage/sqlite-store.ts";
