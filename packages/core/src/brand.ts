import type { Guard } from "./guard-surface.ts";

// Keyed by identity, so a copy with another function inside does not inherit the mark.
const guarded = new WeakMap<object, Guard>();
const own = new WeakSet<object>();

/** Marks the function or object that will decide for itself under this guard. Returns it. */
export function brandGuarded<T extends object>(target: T, guard: Guard): T {
  guarded.set(target, guard);
  return target;
}

export function isGuardedBy(target: unknown, guard: Guard): boolean {
  return isObject(target) && guarded.get(target) === guard;
}

/** Marks an AgentKeys tool: the authority decides and records it itself. Returns it. */
export function brandOwn<T extends object>(target: T): T {
  own.add(target);
  return target;
}

export function isOwn(target: unknown): boolean {
  return isObject(target) && own.has(target);
}

function isObject(value: unknown): value is object {
  return (typeof value === "object" && value !== null) || typeof value === "function";
}
