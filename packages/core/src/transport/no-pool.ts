import { AgentKeysError } from "@agentkeys/contract";

/** Stands in for `undici-http.ts` in a bundle for a browser or an edge platform, which has no sockets to pool. */
export function openPool(): never {
  throw new AgentKeysError(
    "config_invalid",
    "no connections on this platform: pass createClient({ fetch })",
  );
}
