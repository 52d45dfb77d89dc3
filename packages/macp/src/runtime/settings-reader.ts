import { AgentKeysError } from "@agentkeys/contract";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Address {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
}

export interface WholeOptions {
  readonly fallback: number;
  readonly least: number;
}

/** Reads variables one by one and reports everything that is wrong at once. An empty variable is an unset one. */
export function settingReader(env: Environment) {
  const problems: string[] = [];
  const problem = (name: string, text: string): void => {
    problems.push(`${name}: ${text}`);
  };
  const text = (name: string): string | undefined => env[name]?.trim() || undefined;
  const whole = (name: string, { fallback, least }: WholeOptions): number => {
    const value = text(name);
    if (value === undefined) return fallback;
    const number = /^\d{1,15}$/.test(value) ? Number(value) : NaN;
    if (number >= least) return number;
    problem(name, `expected a whole number of at least ${least}`);
    return fallback;
  };
  return {
    problem,
    text,
    whole,
    /** ms from a variable in seconds. */
    seconds: (name: string, options: WholeOptions): number => whole(name, options) * 1_000,
    /** Set by `1` and nothing else. */
    flag: (name: string): boolean => text(name) === "1",
    list: (name: string): string[] | undefined =>
      text(name)
        ?.split(",")
        .map((item) => item.trim())
        .filter((item) => item !== ""),
    address(name: string): Address | undefined {
      const value = text(name);
      if (value === undefined) return undefined;
      const parsed = parseAddress(value);
      if (parsed === undefined) problem(name, "expected ADDRESS:PORT, like 127.0.0.1:50051");
      return parsed;
    },
    /** Both or neither. */
    pair(cert: string, key: string): { cert: string; key: string } | undefined {
      const [certPath, keyPath] = [text(cert), text(key)];
      if (certPath !== undefined && keyPath !== undefined) return { cert: certPath, key: keyPath };
      if (certPath !== undefined) problem(key, `needed with ${cert}`);
      if (keyPath !== undefined) problem(cert, `needed with ${key}`);
      return undefined;
    },
    finish(): void {
      if (problems.length > 0) throw new AgentKeysError("config_invalid", problems.join("; "));
    },
  };
}

/** An IP address and a port; a name is refused, as it may stand for several addresses. */
function parseAddress(value: string): Address | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|(\d{1,3}(?:\.\d{1,3}){3})):(\d{1,5})$/.exec(value);
  const host = match?.[1] ?? match?.[2];
  const port = Number(match?.[3]);
  if (host === undefined || !(port <= 65_535)) return undefined;
  const valid = host.includes(":") || host.split(".").every((part) => Number(part) <= 255);
  return valid ? { host, port } : undefined;
}
