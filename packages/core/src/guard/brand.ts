import type { Guard } from "./guard-surface.ts";

/** Keyed by identity, so a copy with another function inside does not inherit the mark. */
interface Brands {
  readonly guarded: WeakMap<object, Guard>;
  readonly own: WeakSet<object>;
}

// Registered, so that every copy of this package, also one that was loaded again, knows the same marks.
const brandsKey: unique symbol = Symbol.for("agentkeys.brands");
const shared = globalThis as { [brandsKey]?: Brands };
const { guarded, own } = (shared[brandsKey] ??= { guarded: new WeakMap(), own: new WeakSet() });

/** Marks the function or object that will decide for itself under this guard. Returns it. */
export function brandGuarded<T extends object>(target: T, guard: Guard): T {
  guarded.set(target, guard);
  return target;
}

export function isGuardedBy(target: unknown, guard: Guard): boolean {
  return isObject(target) && guarded.get(target) === guard;
}

/** By whatever guard: an inner agent may have one of its own. */
export function isGuarded(target: unknown): boolean {
  return isObject(target) && guarded.has(target);
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
