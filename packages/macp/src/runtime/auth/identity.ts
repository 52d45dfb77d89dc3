/** Who sends, and what this sender may do. */
export interface Identity {
  readonly sender: string;
  /** undefined = every mode. Applies to ambient messages too, whose mode is "". */
  readonly allowedModes: ReadonlySet<string> | undefined;
  readonly canStartSessions: boolean;
  /** undefined = no bound. */
  readonly maxOpenSessions: number | undefined;
  /** Modes and policies alike. */
  readonly canManageModeRegistry: boolean;
  /** May read every session and subscribe to it. */
  readonly isObserver: boolean;
}

/** What a caller showed: the two headers that carry a credential, verbatim. */
export interface Credentials {
  readonly authorization?: string | undefined;
  /** Header `x-macp-token`: static tokens and the development fallback, never a JWT. */
  readonly token?: string | undefined;
}

/** undefined = not authenticated. A JWT that has been seen before answers at once. */
export type Authenticate = (
  credentials: Credentials,
) => Identity | undefined | Promise<Identity | undefined>;

/** The prefix is case-sensitive, as the reference runtime's is. An empty token is a token. */
export function bearerOf({ authorization }: Credentials): string | undefined {
  return authorization?.startsWith("Bearer ") === true ? authorization.slice(7) : undefined;
}
