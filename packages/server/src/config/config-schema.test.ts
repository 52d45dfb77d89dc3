import { expect, test } from "vitest";
import { configFileSchema, configJsonSchema } from "./config-schema.ts";

test("agentkeys.schema.json is the schema that files are checked against (vitest -u writes it)", async () => {
  // Lists on one line, as the formatter has them.
  const text = JSON.stringify(configJsonSchema(), null, 2).replace(
    /\[\s+([^[\]{}]*?)\s+\]/g,
    (_, items: string) => `[${items.replace(/,\s+/g, ", ")}]`,
  );
  await expect(`${text}\n`).toMatchFileSnapshot("../../agentkeys.schema.json");
});

test("no form of a literal secret is a valid token of a file", () => {
  const token = (text: string) => configFileSchema.safeParse({ vendors: { v: { token: text } } });
  for (const literal of ["s3cret", "value:s3cret", "env:", "env:1X", "file:", "ENV:X", ""]) {
    expect(token(literal).success).toBe(false);
  }
  for (const reference of ["env:TOKEN", "env:_t1", "file:/run/secrets/token", "file:a b"]) {
    expect(token(reference).success).toBe(true);
  }
});
