import { describe, expect, test } from "vitest";
import { createBench, policy } from "../kernel/kernel.test-kit.ts";
import { type CommitmentInit, toCommitment } from "../protocol/commitment.ts";
import { toBinary } from "@bufbuild/protobuf";
import { CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";

const ready = async (bench = createBench(), policyId = "") => {
  const session = await bench.open("decision", { policy: policyId });
  await session.say("alice", "Proposal", { proposalId: "p1", option: "deploy" });
  return session;
};

describe("its fields", () => {
  const supersedes = { sessionId: "s", commitmentHash: "h" };
  test.each<[string, Partial<CommitmentInit>, string]>([
    ["a blank id", { commitmentId: " " }, "InvalidPayload"],
    ["a blank action", { action: " ", outcomePositive: true }, "InvalidPayload"],
    ["a blank scope", { authorityScope: " " }, "InvalidPayload"],
    ["a blank reason", { reason: "" }, "InvalidPayload"],
    ["another mode version", { versions: { mode: "1.0.1" } }, "InvalidPayload"],
    ["no mode version", { versions: { mode: "" } }, "InvalidPayload"],
    ["another configuration", { versions: { configuration: "config.other" } }, "InvalidPayload"],
    ["another policy", { versions: { policy: "policy.other" } }, "InvalidPayload"],
    ["the resolved policy", { versions: { policy: "policy.default" } }, "ok Resolved"],
    ["no policy", { versions: { policy: "" } }, "ok Resolved"],
    ["half a reference", { supersedes: { ...supersedes, commitmentHash: " " } }, "InvalidPayload"],
    ["the other half", { supersedes: { ...supersedes, sessionId: "" } }, "InvalidPayload"],
    ["a whole reference", { supersedes }, "ok Resolved"],
    ["selected, but negative", { action: "x.selected", outcomePositive: false }, "InvalidPayload"],
    ["accepted, but negative", { action: "x.accepted", outcomePositive: false }, "InvalidPayload"],
    ["completed, but negative", { action: "completed", outcomePositive: false }, "InvalidPayload"],
    ["approved, but negative", { action: "unapproved", outcomePositive: false }, "InvalidPayload"],
    ["rejected, but positive", { action: "x.rejected", outcomePositive: true }, "InvalidPayload"],
    ["failed, but positive", { action: "x.failed", outcomePositive: true }, "InvalidPayload"],
    ["declined, but positive", { action: "x.declined", outcomePositive: true }, "InvalidPayload"],
    ["rejected, and negative", { action: "x.rejected", outcomePositive: false }, "ok Resolved"],
    ["another action, negative", { action: "rejected.all", outcomePositive: false }, "ok Resolved"],
    ["another action, positive", { action: "rejected.all", outcomePositive: true }, "ok Resolved"],
  ])("%s", async (_, init, expected) => {
    const session = await ready();
    const { action = "plan.chosen", ...more } = init;
    expect(await session.commit("coordinator", action, more)).toBe(expected);
    expect(await session.state()).toBe(expected === "ok Resolved" ? "Resolved" : "Open");
  });

  test("bytes that are no commitment", async () => {
    const session = await ready();
    const outcome = await session.raw("coordinator", "Commitment", Uint8Array.of(0xff, 0xff, 0xff));
    expect(outcome).toMatchObject({ variant: "InvalidPayload", code: "INVALID_ENVELOPE" });
  });

  test("the session resolves with the very bytes", async () => {
    const session = await ready();
    const init = { action: "plan.chosen", authorityScope: "s", reason: "r" };
    const bytes = toBinary(CommitmentPayloadSchema, toCommitment(init));
    // A field that nobody knows stays in them.
    const sent = new Uint8Array([...bytes, 0xf8, 0x07, 0x01]);
    expect(await session.raw("coordinator", "Commitment", sent)).toMatchObject({
      state: "Resolved",
    });
    expect(await session.resolution()).toEqual(sent);
  });
});

describe("who may", () => {
  const whoMay = async (commitment: object, sender: string) => {
    const bench = createBench();
    bench.kernel.policies.register(policy({ rules: { commitment } }));
    const session = await ready(bench, "policy.test");
    return session.commit(sender, "plan.chosen");
  };
  test.each([
    ["initiator_only", "coordinator", "ok Resolved"],
    ["initiator_only", "alice", "Forbidden"],
    ["any_participant", "alice", "ok Resolved"],
    ["any_participant", "coordinator", "ok Resolved"],
    ["any_participant", "mallory", "Forbidden"],
    ["designated_role", "judge", "ok Resolved"],
    ["designated_role", "alice", "Forbidden"],
    ["designated_role", "coordinator", "Forbidden"],
    ["whoever", "coordinator", "ok Resolved"],
    ["whoever", "alice", "Forbidden"],
  ])("%s: %s", async (authority, sender, expected) => {
    const designated_roles = authority === "designated_role" ? ["judge"] : [];
    expect(await whoMay({ authority, designated_roles }, sender)).toBe(expected);
  });

  test("any participant means the initiator also where it is none", async () => {
    const bench = createBench();
    bench.kernel.policies.register(
      policy({ rules: { commitment: { authority: "any_participant" } } }),
    );
    const session = await bench.open("decision", {
      participants: ["alice"],
      policy: "policy.test",
    });
    await session.say("alice", "Proposal", { proposalId: "p1", option: "deploy" });
    expect(await session.commit("coordinator", "plan.chosen")).toBe("ok Resolved");
  });

  test("authority comes before the payload, the payload before readiness, readiness before the policy", async () => {
    const bench = createBench();
    bench.kernel.policies.register(policy({ schemaVersion: 9 }));
    const session = await bench.open("decision", { policy: "policy.test" });
    expect(await session.commit("alice", " ", { outcomePositive: true })).toBe("Forbidden");
    expect(await session.commit("coordinator", "plan.chosen")).toBe("InvalidPayload");
    await session.say("alice", "Proposal", { proposalId: "p1", option: "deploy" });
    expect(await session.commit("coordinator", " ", { outcomePositive: true })).toBe(
      "InvalidPayload",
    );
    expect(await session.commit("coordinator", "plan.chosen")).toBe("PolicyDenied");
  });
});
