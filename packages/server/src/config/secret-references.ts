import { readFileSync } from "node:fs";
import { resolve } from "node:path";

/** Where references are looked up. */
export interface SecretPlaces {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Directory that `file:` paths start from. */
  readonly directory: string;
}

export type Secret = { readonly secret: string } | { readonly problem: string };

/** Resolves `env:NAME`, `file:PATH` (its content, trimmed) or `value:TEXT`. The problem never quotes the secret. */
export function resolveSecret(reference: string, { env, directory }: SecretPlaces): Secret {
  const colon = reference.indexOf(":");
  const rest = reference.slice(colon + 1);
  switch (reference.slice(0, colon)) {
    case "env": {
      const value = env[rest];
      if (value === undefined) return { problem: `the environment variable ${rest} is not set` };
      return usable(value, `the environment variable ${rest}`);
    }
    case "file":
      try {
        return usable(readFileSync(resolve(directory, rest), "utf8"), `the file ${rest}`);
      } catch (error) {
        const code = (error as NodeJS.ErrnoException).code ?? "unknown error";
        return { problem: `the file ${rest} cannot be read (${code})` };
      }
    default:
      return usable(rest, "the value");
  }
}

/** A bearer travels in a header: visible ASCII without spaces. */
export function usable(value: string, place: string): Secret {
  const secret = value.trim();
  if (secret === "") return { problem: `${place} is empty` };
  return /^[\x21-\x7e]+$/.test(secret)
    ? { secret }
    : { problem: `${place} holds characters that no Authorization header can carry` };
}
