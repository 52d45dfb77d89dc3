import { expect, test } from "vitest";
import type { FrameworkDriver } from "../framework-driver.ts";
import type { ScriptedCall } from "../script.ts";
import { openWorld } from "./world.ts";

/** One call of each tool that succeeds, and a part of what the model then reads. */
const calls: readonly (ScriptedCall & { reads: string })[] = [
  { name: "agentkeys_identity_whoami", input: {}, reads: "omni" },
  {
    name: "agentkeys_memory_put",
    input: { namespace: "travel", content: "Chengdu" },
    reads: "true",
  },
  { name: "agentkeys_memory_get", input: { namespace: "travel" }, reads: "Chengdu" },
  {
    name: "agentkeys_permission_check",
    input: { scope: "payment.spend", params: { amount_rmb: 600 } },
    reads: "daily_spend_cap_exceeded",
  },
  {
    name: "agentkeys_cap_mint",
    input: { op: "memory_get", params: { service: "memory:travel" } },
    reads: "broker_sig",
  },
  {
    name: "agentkeys_audit_append",
    input: { event: { op_kind: 250, result: 0 } },
    reads: "envelope_hash",
  },
];

/** Every AgentKeys tool through a real agent loop over a real socket: one success and one error each. */
export function ownToolCases(driver: FrameworkDriver): void {
  test("each tool answers over HTTP", async () => {
    await using world = await openWorld({ http: true });
    const minted = await world.client.cap.mint({
      op: "memory_get",
      params: { service: "memory:travel" },
    });
    const all = [
      ...calls,
      { name: "agentkeys_cap_revoke", input: { cap_id: minted.cap.payload.nonce }, reads: "true" },
    ];
    const run = await driver.run({
      guard: world.guard,
      tools: [],
      script: [...all.map(({ name, input }) => [{ name, input }]), "done"],
    });
    expect(run.text).toBe("done");
    expect(run.answers.map(({ tool }) => tool)).toEqual(all.map(({ name }) => name));
    run.answers.forEach((answer, i) => {
      expect(answer).toMatchObject({
        refused: false,
        text: expect.stringContaining(all[i]?.reads ?? "?"),
      });
    });
  });

  test("each tool's failure is the server's own text, and the run goes on", async () => {
    await using world = await openWorld({ http: true, token: "a stranger's" });
    const all = [...calls, { name: "agentkeys_cap_revoke", input: { cap_id: "x" } }];
    const run = await driver.run({
      guard: world.guard,
      tools: [],
      script: [...all.map(({ name, input }) => [{ name, input }]), "done"],
    });
    expect(run.text).toBe("done");
    expect(run.answers).toHaveLength(all.length);
    for (const answer of run.answers) expect(answer.refused).toBe(true);
    // Mastra's seam decides these tools too, and then says in its own words that nobody vouched for the call.
    for (const { text } of run.answers) {
      expect(text).toMatch(/bearer token not recognized|Denied by AgentKeys: /);
      expect(text).not.toContain("a stranger's");
    }
  });

  test("memory outside the agent's namespaces reads as empty, never as the note", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [],
      script: [[{ name: "agentkeys_memory_get", input: { namespace: "family" } }], "done"],
    });
    expect(run.answers[0]?.text).toContain("namespace_violation");
    expect(world.log()).toContainEqual(
      expect.objectContaining({
        op_kind: 11,
        result: 2,
        op_body: expect.objectContaining({ key: "memory:family" }),
      }),
    );
  });

  test("a model cannot speak for another actor", async () => {
    await using world = await openWorld();
    const run = await driver.run({
      guard: world.guard,
      tools: [],
      script: [
        [{ name: "agentkeys_identity_whoami", input: { actor: `0x${"ff".repeat(32)}` } }],
        "done",
      ],
    });
    expect(run.answers[0]?.text).toContain(world.actor);
    expect(run.answers[0]?.text).not.toContain("ff".repeat(32));
  });

  test("only the asked-for operations are offered", async () => {
    await using world = await openWorld();
    const { offered } = await driver.run({
      guard: world.guard,
      tools: [world.tools.search_web],
      own: ["memory_get"],
      script: ["done"],
    });
    expect(offered.map(({ name }) => name).toSorted()).toEqual([
      "agentkeys_memory_get",
      "search_web",
    ]);
  });
}
