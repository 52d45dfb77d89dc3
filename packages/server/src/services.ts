import type { Surface } from "@agentkeys/contract";
import type { Logger } from "pino";
import type { Tokens } from "./auth.ts";
import type { Keys } from "./keys.ts";
import type { Metrics } from "./metrics.ts";
import type { Policy } from "./policy.ts";
import type { Replays } from "./replays.ts";
import type { Settings } from "./settings.ts";
import type { Clock, Store } from "./store.ts";
import type { Vault } from "./vault.ts";

/** What every part of one authority works with. */
export interface Services {
  readonly surface: Surface;
  readonly settings: Settings;
  readonly store: Store;
  readonly vault: Vault;
  readonly keys: Keys;
  /** keccak256, `0x` and 64 digits. Eight times as fast as the contract's. */
  readonly digest: (bytes: Uint8Array) => string;
  readonly policy: Policy;
  readonly tokens: Tokens;
  readonly replays: Replays;
  /** Omnis in lower case. Read on every call, so a revocation holds from the next one on. */
  readonly revoked: Set<string>;
  /** Ends each open audit stream. */
  readonly streams: Set<() => void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}
