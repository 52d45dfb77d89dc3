import {
  ListExtModesRequestSchema,
  PromoteModeRequestSchema,
  UnregisterExtModeRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import {
  GetPolicyRequestSchema,
  ListPoliciesRequestSchema,
  UnregisterPolicyRequestSchema,
} from "../generated/macp/v1/policy_pb.ts";
import { toEnvelope } from "../protocol/envelope.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { newSessionId } from "../protocol/ids.ts";
import { encodeCorePayload } from "../protocol/payload.ts";
import {
  type Connect,
  policy,
  metadata,
  statusAfter,
  extension,
} from "./testdata/calls.test-kit.ts";
import { accepted, as, errorCode, start } from "./testdata/messages.test-kit.ts";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

export function describeRegistries(connect: Connect): void {
  test("an extension: registered, used, unregistered", async () => {
    const calls = await connect();
    const request = extension();
    const mode = request.modeDescriptor?.mode ?? "";
    expect(await calls.registerExtMode(request, as("alice"))).toMatchObject({
      ok: true,
      error: "",
    });
    const listed = await calls.listExtModes(create(ListExtModesRequestSchema), {});
    expect(listed.modes.map((descriptor) => descriptor.mode)).toContain(mode);
    expect(await calls.registerExtMode(request, as("alice"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("already registered") as string,
    });
    const payload = encodeCorePayload("SessionStart", { ttlMs: 60_000n });
    const id = await accepted(calls, "alice", start("decision", {}, { mode, payload }));
    const note = toEnvelope({
      mode,
      messageType: "Note",
      sessionId: id,
      payload: new Uint8Array([1]),
    });
    expect(await errorCode(calls, "bob", note)).toBe("ok");
    const removed = await calls.unregisterExtMode(
      create(UnregisterExtModeRequestSchema, { mode }),
      as("alice"),
    );
    expect(removed.ok).toBe(true);
    const again = start("decision", {}, { mode, payload });
    expect(await errorCode(calls, "alice", again)).toBe("MODE_NOT_SUPPORTED");
  });

  test.each<[string, ReturnType<typeof extension>]>([
    ["a reserved name", extension("macp.mode.mine.v1")],
    ["no version", extension(undefined, { modeVersion: "" })],
    ["no Commitment", extension(undefined, { messageTypes: ["Note"] })],
    ["another end", extension(undefined, { terminalMessageTypes: ["Note"] })],
  ])("an extension with %s is refused", async (_, request) => {
    const calls = await connect();
    const answer = await calls.registerExtMode(request, as("alice"));
    expect(answer.ok).toBe(false);
    expect(answer.error).not.toBe("");
  });

  test("built-in modes stay", async () => {
    const calls = await connect();
    for (const mode of ["macp.mode.decision.v1", "ext.multi_round.v1", "ext.unknown.v1"]) {
      const request = create(UnregisterExtModeRequestSchema, { mode });
      expect((await calls.unregisterExtMode(request, as("alice"))).ok).toBe(false);
    }
  });

  test("promotion never into the reserved names", async () => {
    const calls = await connect();
    const request = extension();
    const mode = request.modeDescriptor?.mode ?? "";
    await calls.registerExtMode(request, as("alice"));
    const reserved = create(PromoteModeRequestSchema, {
      mode,
      promotedModeName: "macp.mode.mine.v1",
    });
    expect(await calls.promoteMode(reserved, as("alice"))).toMatchObject({
      ok: false,
      error: expect.stringContaining("reserved") as string,
    });
    await calls.unregisterExtMode(create(UnregisterExtModeRequestSchema, { mode }), as("alice"));
  });

  test("policies: registered, read, used, unregistered", async () => {
    const calls = await connect();
    const id = `policy.${newSessionId()}`;
    const rules = { voting: { threshold: 0.6, algorithm: "majority" } };
    expect(await calls.registerPolicy(policy(id, rules), as("alice"))).toMatchObject({ ok: true });
    const twice = await calls.registerPolicy(policy(id, rules), as("alice"));
    expect(twice).toMatchObject({
      ok: false,
      error: expect.stringContaining("already registered") as string,
    });
    const get = create(GetPolicyRequestSchema, { policyId: id });
    const { policyDescriptor } = await calls.getPolicy(get, as("alice"));
    expect(policyDescriptor).toMatchObject({
      policyId: id,
      mode: "macp.mode.decision.v1",
      schemaVersion: 2,
    });
    expect(JSON.parse(policyDescriptor?.rules ?? "")).toMatchObject(rules);
    const listed = async (mode: string) => {
      const request = create(ListPoliciesRequestSchema, { mode });
      const { descriptors } = await calls.listPolicies(request, as("alice"));
      return descriptors.map(({ policyId }) => policyId);
    };
    expect(await listed("macp.mode.decision.v1")).toEqual(
      expect.arrayContaining([id, "policy.default"]),
    );
    expect(await listed("macp.mode.task.v1")).not.toContain(id);
    const session = await accepted(calls, "alice", start("decision", { policyVersion: id }));
    expect((await metadata(calls, session))?.policyVersion).toBe(id);
    const elsewhere = start("task", { policyVersion: id });
    expect(await errorCode(calls, "alice", elsewhere)).toBe("INVALID_POLICY_DEFINITION");
    const remove = create(UnregisterPolicyRequestSchema, { policyId: id });
    expect((await calls.unregisterPolicy(remove, as("alice"))).ok).toBe(true);
    expect((await calls.unregisterPolicy(remove, as("alice"))).ok).toBe(false);
  });

  test("the default policy is there and stays", async () => {
    const calls = await connect();
    const { policyDescriptor } = await calls.getPolicy(
      create(GetPolicyRequestSchema, { policyId: "policy.default" }),
      as("alice"),
    );
    expect(policyDescriptor).toMatchObject({ mode: "*", schemaVersion: 1 });
    // Whoever reads it sees what applies, not nothing.
    expect(JSON.parse(policyDescriptor?.rules ?? "")).toMatchObject({
      commitment: { authority: "initiator_only", require_vote_quorum: false },
      voting: { algorithm: "none" },
    });
    const registered = await calls.registerPolicy(policy("policy.default"), as("alice"));
    expect(registered).toMatchObject({
      ok: false,
      error: expect.stringContaining("reserved") as string,
    });
    const remove = create(UnregisterPolicyRequestSchema, { policyId: "policy.default" });
    expect((await calls.unregisterPolicy(remove, as("alice"))).ok).toBe(false);
  });

  test.each<[string, object]>([
    ["weighted without weights", { voting: { algorithm: "weighted" } }],
    ["a supermajority of half", { voting: { algorithm: "supermajority", threshold: 0.5 } }],
    ["roles that nobody has", { commitment: { authority: "designated_role" } }],
    ["a number for a word", { voting: { algorithm: 3 } }],
  ])("a policy of %s is refused", async (_, rules) => {
    const calls = await connect();
    const answer = await calls.registerPolicy(
      policy(`policy.${newSessionId()}`, rules),
      as("alice"),
    );
    expect(answer.ok).toBe(false);
  });

  test("registries change for nobody without a credential", async () => {
    const calls = await connect();
    const get = create(GetPolicyRequestSchema, { policyId: "policy.default" });
    const unauthenticated = await Promise.all([
      statusAfter(calls.registerExtMode(extension(), {})),
      statusAfter(calls.registerPolicy(policy("p"), {})),
      statusAfter(calls.getPolicy(get, {})),
      statusAfter(calls.listPolicies(create(ListPoliciesRequestSchema), {})),
    ]);
    expect(new Set(unauthenticated)).toEqual(new Set([grpcStatus.UNAUTHENTICATED]));
    const unknown = create(GetPolicyRequestSchema, { policyId: "policy.unknown" });
    expect(await statusAfter(calls.getPolicy(unknown, as("alice")))).toBe(grpcStatus.NOT_FOUND);
  });
}
