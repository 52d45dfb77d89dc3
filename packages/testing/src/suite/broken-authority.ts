import { expect, test } from "vitest";
import type { FrameworkDriver } from "../framework-driver.ts";
import { faults, faultyFetch } from "../faulty-fetch.ts";
import type { FaultPlan as Plan } from "../faulty-fetch.ts";
import { openWorld } from "./world.ts";
import type { World } from "./world.ts";

/** Milliseconds: short, so that a hanging authority costs little; a late answer comes after it. */
const deadline = 150;
const late = 400;

async function refusedEverywhere(driver: FrameworkDriver, world: World): Promise<void> {
  const run = await driver.run({
    guard: world.guard,
    tools: [world.tools.order_food],
    script: [
      [
        { name: "order_food", input: { dish: "soup", price: 200 } },
        { name: "order_food", input: { dish: "rice", price: 100 } },
      ],
      "done",
    ],
  });
  expect(world.ran).toEqual([]);
  expect(run.text).toBe("done");
  expect(run.answers).toHaveLength(2);
  for (const answer of run.answers) {
    expect(answer).toMatchObject({
      refused: true,
      text: expect.stringContaining("Denied by AgentKeys: "),
    });
  }
}

type FaultPlan = Pick<Plan, "fault" | "hits">;

/** Whatever the authority does instead of answering: the tool never runs and the run goes on. */
export function brokenAuthorityCases(driver: FrameworkDriver): void {
  const world = (plan: FaultPlan, surface: "v1" | "default"): Promise<World> =>
    openWorld({
      surface,
      timeoutMs: deadline,
      around: (fetch, closing) => faultyFetch(fetch, { ...plan, lateMs: late, closing }),
    });

  test.each(faults)("fused calls: %s", async (fault) => {
    const plan = { fault, hits: (method: string) => method.startsWith("guard/") };
    await using broken = await world(plan, "default");
    await refusedEverywhere(driver, broken);
  });

  test.each(faults.filter((fault) => fault !== "refuses to record"))(
    "upstream's tools, the check: %s",
    async (fault) => {
      const plan = { fault, hits: (method: string) => method === "agentkeys.permission.check" };
      await using broken = await world(plan, "v1");
      await refusedEverywhere(driver, broken);
    },
  );

  test.each(faults.filter((fault) => fault !== "unknown verdict"))(
    "upstream's tools, the record: %s",
    async (fault) => {
      const plan = { fault, hits: (method: string) => method === "agentkeys.audit.append" };
      await using broken = await world(plan, "v1");
      await refusedEverywhere(driver, broken);
    },
  );

  test("against upstream's tools alone the order and the denials are the same", async () => {
    await using plain = await openWorld({ surface: "v1" });
    const run = await driver.run({
      guard: plain.guard,
      tools: [plain.tools.order_food],
      script: [
        [{ name: "order_food", input: { dish: "soup", price: 600 } }],
        [{ name: "order_food", input: { dish: "soup", price: 200 } }],
        "done",
      ],
    });
    expect(plain.ran).toHaveLength(1);
    expect(run.answers[0]?.text).toContain(
      "Denied by AgentKeys: daily_spend_cap_exceeded (cap=500, requested=600, period=daily)",
    );
    expect(run.answers.map(({ refused }) => refused)).toEqual([true, false]);
  });
}
