type Issue = { expected?: string; path?: readonly PropertyKey[] };

/** The input with dates where the schema wants them: for some models, and in a new call alone, Mastra makes them of texts. */
export function withDates(schema: unknown, raw: unknown): unknown {
  const input = structuredClone(raw);
  const { issues = [] } = Object(Object(schema)["~standard"]?.validate(input));
  for (const { expected, path = [] } of issues as Issue[]) {
    const last = path.at(-1);
    if (expected !== "date" || last === undefined) continue;
    const holder = path.slice(0, -1).reduce((at, key) => at[key], Object(input));
    holder[last] = new Date(holder[last]);
  }
  return input;
}
