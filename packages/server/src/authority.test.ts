import { expect, test } from "vitest";
import { pino } from "pino";
import { createAuthority } from "./authority.ts";
import { operator } from "./testdata/harness.test-kit.ts";

const silent = pino({ level: "silent" });

test("a surface that there is not is refused before anything is opened", async () => {
  const options = { data: ":memory:", env: {}, log: silent, surface: "v2" as "v1" };
  await expect(createAuthority(options)).rejects.toMatchObject({
    code: "config_invalid",
    message: 'surface: expected "default" or "v1", found "v2"',
  });
});

test("a closed authority listens no more", async () => {
  const authority = await createAuthority({ data: ":memory:", env: {}, log: silent });
  await authority.close();
  await expect(authority.listen()).rejects.toMatchObject({ code: "config_invalid" });
});

test("an operator's token that is nobody's is named at start", async () => {
  const lines: string[] = [];
  const log = pino({ level: "warn" }, { write: (line) => void lines.push(line) });
  const token = { AGENTKEYS_OPERATOR_TOKEN: "s3cr3t" };
  const start = async (env: Record<string, string>): Promise<string> => {
    const authority = await createAuthority({ data: ":memory:", env, log });
    await authority.close();
    return lines.splice(0).join("");
  };
  const warning = await start(token);
  expect(warning).toContain("AGENTKEYS_OPERATOR_TOKEN");
  expect(warning).not.toContain("s3cr3t");
  expect(await start({ ...token, MCP_DEFAULT_OPERATOR_OMNI: operator })).toBe("");
});
