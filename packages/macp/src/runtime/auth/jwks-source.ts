import { readKeySet, type VerifyKey } from "./key-set.ts";

/** How long a set that could not be refreshed stays good, ms. */
const STALE_GRACE = 3_600_000;
const TOTAL_TIMEOUT = 5_000;
const MAX_BYTES = 1_048_576;
/** Between two tries while the address does not answer, ms. */
const RETRY_AFTER = 1_000;

export interface KeySource {
  /** Throws while there is no usable set. */
  keys(): readonly VerifyKey[] | Promise<readonly VerifyKey[]>;
}

export function inlineKeys(json: string): KeySource {
  const keys = readKeySet(json);
  return { keys: () => keys };
}

export interface RemoteKeysOptions {
  readonly url: string;
  /** ms */
  readonly ttl: number;
  readonly now: () => number;
}

/** Fetched at first use and again after `ttl`; one fetch at a time. While it fails the last set serves for another hour. */
export function remoteKeys({ url, ttl, now }: RemoteKeysOptions): KeySource {
  let current: { keys: readonly VerifyKey[]; at: number } | undefined;
  let fetching: Promise<readonly VerifyKey[]> | undefined;
  let failedAt = -Infinity;
  const refresh = async (): Promise<readonly VerifyKey[]> => {
    try {
      const keys = readKeySet(await download(url));
      current = { keys, at: now() };
      return keys;
    } catch (cause) {
      failedAt = now();
      if (current !== undefined && now() - current.at < ttl + STALE_GRACE) return current.keys;
      throw new Error("the key set cannot be fetched", { cause });
    } finally {
      fetching = undefined;
    }
  };
  return {
    keys() {
      const fresh = current !== undefined && now() - current.at < ttl;
      const resting = now() - failedAt < RETRY_AFTER;
      const usable = current !== undefined && now() - current.at < ttl + STALE_GRACE;
      if (current !== undefined && (fresh || (usable && resting))) return current.keys;
      if (resting) throw new Error("the key set cannot be fetched");
      fetching ??= refresh();
      return fetching;
    },
  };
}

async function download(url: string): Promise<string> {
  const signal = AbortSignal.timeout(TOTAL_TIMEOUT);
  const response = await fetch(url, { signal, redirect: "error" });
  if (!response.ok) throw new Error(`status ${response.status}`);
  const text = await response.text();
  if (text.length > MAX_BYTES) throw new Error("too long");
  return text;
}
