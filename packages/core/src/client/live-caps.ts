import { AgentKeysError, type ToolOutput, type Tools } from "@agentkeys/contract";
import { type Limits, within } from "../transport/deadline.ts";
import type { Wire } from "../transport/wire.ts";

export type CapOp = "memory_get" | "memory_put" | "cred_fetch" | "cred_store";
type CapToken = ToolOutput<Tools["cap_mint"]>["cap"];

interface LiveCap {
  readonly token: CapToken;
  /** Both as `performance.now()` counts: from here a new one is minted beside it, from there it is dead. */
  readonly refreshAt: number;
  readonly deadAt: number;
}

interface Slot {
  cap?: LiveCap | undefined;
  minting?: Promise<LiveCap> | undefined;
}

/** Shortest time before its death at which a capability is replaced, in milliseconds. */
const margin = 30_000;

/** The capabilities of one session, one per (op, service). */
export class LiveCaps {
  readonly #wire: Wire;
  readonly #ttl: number;
  readonly #signal: AbortSignal | undefined;
  readonly #slots = new Map<string, Slot>();
  readonly #minting = new Set<Promise<unknown>>();
  #minted: LiveCap[] = [];
  #closed = false;

  constructor(wire: Wire, { ttl, signal }: { ttl: number; signal: AbortSignal | undefined }) {
    this.#wire = wire;
    this.#ttl = ttl;
    this.#signal = signal;
  }

  /** A capability that is alive, minted when there is none. Near its death it is replaced in the background. */
  async get(op: CapOp, service: string, limits: Limits): Promise<CapToken> {
    const slot = this.#slot(op, service);
    const now = performance.now();
    if (slot.cap === undefined || now >= slot.cap.deadAt) {
      const minting = this.#refresh(slot, op, service);
      return (await within(limits, () => minting)).token;
    }
    if (now >= slot.cap.refreshAt) void this.#refresh(slot, op, service);
    return slot.cap.token;
  }

  /** One for this call alone. */
  async mint(op: CapOp, service: string, limits: Limits): Promise<CapToken> {
    return (await this.#mint(op, service, limits)).token;
  }

  /** Forgets a capability that the server called expired. A newer one stays. */
  drop(op: CapOp, service: string, token: CapToken): void {
    const slot = this.#slot(op, service);
    if (slot.cap?.token === token) slot.cap = undefined;
  }

  /** Revokes everything that is still alive, also what is being minted right now. Never throws. */
  async revokeAll(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#minting);
    const now = performance.now();
    const alive = this.#minted.filter(({ deadAt }) => deadAt > now);
    this.#minted = [];
    this.#slots.clear();
    const revoke = async ({ token }: LiveCap): Promise<unknown> =>
      this.#wire.call(
        "cap_revoke",
        { cap_id: token.payload.nonce },
        { limits: this.#wire.limits() },
      );
    await Promise.allSettled(alive.map(revoke));
  }

  #slot(op: CapOp, service: string): Slot {
    const key = `${op} ${service}`;
    const slot = this.#slots.get(key) ?? {};
    this.#slots.set(key, slot);
    return slot;
  }

  /** One at a time per slot; everybody who needs it waits for the same. */
  #refresh(slot: Slot, op: CapOp, service: string): Promise<LiveCap> {
    if (slot.minting === undefined) {
      slot.minting = this.#mint(op, service, this.#wire.limits({ signal: this.#signal }))
        .then((cap) => (slot.cap = cap))
        .finally(() => {
          slot.minting = undefined;
        });
      // Whoever waits hears of a failure; it may be that nobody does.
      slot.minting.catch(() => {});
    }
    return slot.minting;
  }

  #mint(op: CapOp, service: string, limits: Limits): Promise<LiveCap> {
    const minting = this.#ask(op, service, limits);
    this.#minting.add(minting);
    const forget = (): void => void this.#minting.delete(minting);
    minting.then(forget, forget);
    return minting;
  }

  async #ask(op: CapOp, service: string, limits: Limits): Promise<LiveCap> {
    // Nobody would revoke it.
    if (this.#closed) throw new AgentKeysError("invalid_request", "the session is closed");
    const { cap: token } = await this.#wire.call(
      "cap_mint",
      { op, params: { service }, ttl: this.#ttl },
      { limits },
    );
    const now = performance.now();
    // Counted from the receipt, so that a clock that is wrong here does no harm.
    const life = (token.payload.expires_at - token.payload.issued_at) * 1000;
    const cap = { token, refreshAt: now + life - Math.min(margin, life / 5), deadAt: now + life };
    this.#minted = [...this.#minted.filter(({ deadAt }) => deadAt > now), cap];
    return cap;
  }
}
