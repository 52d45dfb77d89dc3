/** An environment variable; undefined where it is empty, unset, or there is no environment at all (edge, browser). */
export function env(name: string): string | undefined {
  const { process } = globalThis as { process?: { env?: Record<string, string | undefined> } };
  const value = process?.env?.[name];
  return value === "" ? undefined : value;
}
