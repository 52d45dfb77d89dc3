/** Assigns an own field, also where its name is `__proto__`. */
export function setOwn(target: Record<PropertyKey, unknown>, key: string, value: unknown): void {
  if (key !== "__proto__") target[key] = value;
  else {
    const property = { value, writable: true, enumerable: true, configurable: true };
    Object.defineProperty(target, key, property);
  }
}
