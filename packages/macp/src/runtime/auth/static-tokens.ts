import { createHash } from "node:crypto";
import { z } from "zod";
import { bearerOf, type Authenticate, type Identity } from "./identity.ts";

const staticToken = z.object({
  token: z.string().min(1),
  sender: z.string().min(1),
  /** Empty = every mode. */
  allowed_modes: z.array(z.string()).default([]),
  can_start_sessions: z.boolean().default(true),
  max_open_sessions: z.int().min(0).nullish(),
  can_manage_mode_registry: z.boolean().default(false),
  is_observer: z.boolean().default(false),
});

const staticTokens = z.union([
  z.array(staticToken),
  z.object({ tokens: z.array(staticToken) }).transform(({ tokens }) => tokens),
]);

export type StaticToken = z.input<typeof staticToken>;

/** Reads a list, or `{ tokens: [...] }`. Throws a plain Error whose text shows no token. */
export function readStaticTokens(json: string): StaticToken[] {
  const parsed = staticTokens.safeParse(parse(json));
  if (!parsed.success) throw new Error(`not a list of tokens: ${where(parsed.error)}`);
  return parsed.data;
}

/** Bearer or `x-macp-token`; compared by digest, so a lookup's time tells nothing about a token's text. */
export function staticAuthentication(tokens: readonly StaticToken[]): Authenticate {
  const known = new Map<string, Identity>();
  for (const entry of tokens) {
    const key = digest(entry.token);
    if (known.has(key)) throw new Error("two entries have the same token");
    known.set(key, toIdentity(staticToken.parse(entry)));
  }
  return (credentials) => {
    const token = bearerOf(credentials) ?? credentials.token;
    return token === undefined ? undefined : known.get(digest(token));
  };
}

function toIdentity(entry: z.output<typeof staticToken>): Identity {
  return {
    sender: entry.sender,
    allowedModes: entry.allowed_modes.length === 0 ? undefined : new Set(entry.allowed_modes),
    canStartSessions: entry.can_start_sessions,
    maxOpenSessions: entry.max_open_sessions ?? undefined,
    canManageModeRegistry: entry.can_manage_mode_registry,
    isObserver: entry.is_observer,
  };
}

function digest(token: string): string {
  return createHash("sha256").update(token).digest("base64");
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    // The parser's own text quotes its input, which is made of secrets.
    throw new Error("not JSON");
  }
}

function where(error: z.ZodError): string {
  const issue = error.issues[0];
  const issues = issue?.code === "invalid_union" ? (issue.errors[0] ?? []) : error.issues;
  return issues.map(({ path, message }) => `${path.join(".")} ${message}`.trim()).join("; ");
}
