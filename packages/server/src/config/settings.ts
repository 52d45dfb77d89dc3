import type { Quorum } from "@agentkeys/contract";

/** A rule for one scope of one actor. Amounts are whole units of the currency. */
export type ScopeRule =
  | { readonly effect: "allow" | "ask" | "deny"; readonly quorum?: Quorum | undefined }
  | {
      readonly currency: string;
      readonly per_call: bigint;
      readonly ask_above: bigint | undefined;
      readonly quorum?: Quorum | undefined;
    };

export interface ActorSettings {
  readonly omni: string;
  readonly operator: string;
  /** Name of the vendor whose token may speak for this actor; undefined = any. */
  readonly vendor: string | undefined;
  readonly namespaces: ReadonlySet<string>;
  readonly services: ReadonlySet<string>;
  readonly scopes: ReadonlyMap<string, ScopeRule>;
}

/** Who may speak, for whom, and what is allowed; from a configuration file or from upstream's environment variables. */
export interface Settings {
  /** Name and bearer of each vendor. Empty = every bearer is refused. */
  readonly vendors: readonly { readonly name: string; readonly token: string }[];
  readonly operators: readonly { readonly omni: string; readonly token: string }[];
  /** undefined = no configuration file: any actor, upstream's built-in policy. */
  readonly actors: ReadonlyMap<string, ActorSettings> | undefined;
  readonly approvals: {
    /** Seconds that an approval waits for its decision, and that a grant may be used. */
    readonly ttl_seconds: number;
  };
  /** `MCP_DEFAULT_*` of upstream. */
  readonly defaults: {
    readonly actor: string | undefined;
    readonly operator_omni: string | undefined;
    readonly device_key_hash: string | undefined;
    readonly daily_spend_cap_rmb: bigint;
  };
}

/** `approvals` where nothing configures it. */
export const defaultApprovals: Settings["approvals"] = { ttl_seconds: 900 };
