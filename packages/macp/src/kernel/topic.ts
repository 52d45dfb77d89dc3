/** Must not throw, and must not wait: it runs between an acceptance and its answer. */
export type Listener<T> = (event: T) => void;
export type Unsubscribe = () => void;

/** Whoever listens hears what is published from then on, in order. */
export interface Topic<T> {
  readonly heard: () => boolean;
  publish(event: T): void;
  subscribe(listener: Listener<T>): Unsubscribe;
}

export function createTopic<T>(): Topic<T> {
  const listeners = new Set<{ readonly listener: Listener<T> }>();
  return {
    heard: () => listeners.size > 0,
    publish(event) {
      for (const { listener } of listeners) listener(event);
    },
    subscribe(listener) {
      const entry = { listener };
      listeners.add(entry);
      return () => void listeners.delete(entry);
    },
  };
}
