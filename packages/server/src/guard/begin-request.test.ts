import { expect, test } from "vitest";
import { call } from "../testdata/approvals.test-kit.ts";
import { open } from "../testdata/harness.test-kit.ts";

const wrong: [string, unknown][] = [
  ["actor", 5],
  ["operator_omni", 5],
  ["run_key", 5],
  ["grant", {}],
  ["describe", ["a"]],
  ["may_ask", "no"],
  ["idempotent", 1],
  ["tool", ""],
];

test.each(wrong)(
  "a begin whose %s is %j is refused, and nothing is written",
  async (name, value) => {
    const harness = await open();
    const { error } = await harness.rpc("guard/begin", call({ [name]: value }));
    expect(error).toMatchObject({ code: -32602 });
    expect(error?.message).toContain(name);
    expect(await harness.records()).toEqual([]);
  },
);

test("null is absent", async () => {
  const harness = await open();
  const nothing = { run_key: null, grant: null, describe: null, may_ask: null, idempotent: null };
  const { result } = await harness.rpc("guard/begin", call(nothing));
  expect(result).toMatchObject({ verdict: "ask_parent" });
});
