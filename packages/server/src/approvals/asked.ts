/** What one process remembers of approvals so that it need not ask the store. */
export interface Asked {
  /** Whether a call of this actor may have been asked about before, so that it must be looked up. */
  mustLookUp(actor: string): boolean;
  /** An approval changed, durably. `actor`: "" = of several. `until`: unix seconds up to which the actor's calls must be looked up. */
  changed(actor: string, until: number): void;
  /** Drops the actors whose calls need no look any more. */
  forget(): void;
  /** Called after every change; must not throw. Returns the unsubscribe function. */
  subscribe(listener: (actor: string) => void): () => void;
}

/** `known`: what the store says at start. `now`: unix seconds. */
export function createAsked(known: ReadonlyMap<string, number>, now: () => number): Asked {
  const until = new Map(known);
  const listeners = new Set<(actor: string) => void>();
  return {
    mustLookUp(actor) {
      const last = until.get(actor);
      if (last === undefined) return false;
      if (last > now()) return true;
      until.delete(actor);
      return false;
    },
    changed(actor, last) {
      if (last > (until.get(actor) ?? 0)) until.set(actor, last);
      for (const listener of listeners) listener(actor);
    },
    forget() {
      for (const [actor, last] of until) if (last <= now()) until.delete(actor);
    },
    subscribe(listener) {
      const own = (actor: string) => listener(actor);
      listeners.add(own);
      return () => void listeners.delete(own);
    },
  };
}
