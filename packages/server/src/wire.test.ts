import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fill, recordings } from "./testdata/exchanges.test-kit.ts";
import { serve, type Served } from "./testdata/process.test-kit.ts";
import { replay, type Vars } from "./testdata/replay.test-kit.ts";

// Every recorded exchange of upstream's own servers that concerns us, against a process of its own per profile.
describe.each(Object.entries(recordings.profiles))("%s", (profile, { transport, env }) => {
  const vars: Vars = { ...recordings.vars };
  let server: Served;
  beforeAll(async () => {
    server = await serve({ transport, env: fill(env, vars), surface: "v1" });
  });
  afterAll(() => server.stop());

  const cases = recordings.cases.filter((recorded) => recorded.profile === profile);
  test.each(cases)("#$covers $id: $title", async ({ steps }) => {
    for (const step of steps) await expect(replay(server, step, vars)).resolves.toBeUndefined();
  });
});
