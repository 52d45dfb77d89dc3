export type Method = (...given: unknown[]) => unknown;

/** The same object with its methods wrapped. They run on the object itself, which may have private fields. */
export function wrapMethods<T extends object>(
  object: T,
  wrap: (method: Method, name: string) => Method,
): T {
  return new Proxy(object, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      return typeof value === "function" ? wrap(value.bind(target) as Method, String(key)) : value;
    },
  });
}
