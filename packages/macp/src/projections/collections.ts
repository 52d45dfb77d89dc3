/** Collections that nobody outside has seen since they were made. */
export type Unseen = WeakSet<object>;

let unseen: Unseen | undefined;

/**
 * Runs a reducer, which changes nothing that anybody could have seen: what it is given is copied first, once, and
 * then changed in place for as long as it stays in `own`. A history of n messages so takes n steps and not n².
 */
export function editing<T>(own: Unseen, reduce: () => T): T {
  unseen = own;
  try {
    return reduce();
  } finally {
    unseen = undefined;
  }
}

/** The map with one entry set, order kept. */
export function placed<K, V>(map: ReadonlyMap<K, V>, key: K, value: V): ReadonlyMap<K, V> {
  const target = unseen?.has(map) ? (map as Map<K, V>) : new Map(map);
  unseen?.add(target);
  return target.set(key, value);
}

/** The list with one more at its end. */
export function appended<T>(list: readonly T[], value: T): readonly T[] {
  const target = unseen?.has(list) ? (list as T[]) : [...list];
  unseen?.add(target);
  target.push(value);
  return target;
}
