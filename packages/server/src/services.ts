import type { Quorum, Surface } from "@agentkeys/contract";
import type { Logger } from "pino";
import type { Asked } from "./approvals/asked.ts";
import type { Tokens } from "./access/auth.ts";
import type { Keys } from "./keys/keys.ts";
import type { Metrics } from "./metrics.ts";
import type { Policy } from "./access/policy.ts";
import type { Replays } from "./replays.ts";
import type { Settings } from "./config/settings.ts";
import type { Clock, Store } from "./store/store.ts";
import type { Vault } from "./keys/vault.ts";

/** What every part of one authority works with. */
export interface Services {
  readonly surface: Surface;
  readonly settings: Settings;
  readonly store: Store;
  readonly vault: Vault;
  readonly keys: Keys;
  readonly policy: Policy;
  /** Names the rules that decide for an actor. */
  readonly policyVersion: (actor: string) => string;
  /** Who decides together on what the actor asks in the scope; undefined = the operator. */
  readonly quorum: (actor: string, scope: string | null) => Quorum | undefined;
  readonly tokens: Tokens;
  readonly replays: Replays;
  /** Omnis in lower case. Read on every call, so a revocation holds from the next one on. */
  readonly revoked: Set<string>;
  /** What is known of approvals without a look at the store. */
  readonly asked: Asked;
  /** Ends each open stream. */
  readonly streams: Set<() => void>;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
}
