import {
  GetManifestRequestSchema,
  InitializeRequestSchema,
  ListExtModesRequestSchema,
  ListModesRequestSchema,
  ListRootsRequestSchema,
} from "../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { modeTable } from "../protocol/mode-table.ts";
import { type Connect, failed } from "./testdata/calls.test-kit.ts";
import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";

export function describeHandshake(connect: Connect): void {
  test("Initialize says what is there", async () => {
    const calls = await connect();
    const request = create(InitializeRequestSchema, { supportedProtocolVersions: ["0.9", "1.0"] });
    const answer = await calls.initialize(request, {});
    expect(answer).toMatchObject({
      selectedProtocolVersion: "1.0",
      runtimeInfo: { name: "macp-runtime" },
      capabilities: {
        sessions: { stream: true, listSessions: true, watchSessions: true },
        cancellation: { cancelSession: true },
        progress: { progress: true },
        manifest: { getManifest: true },
        modeRegistry: { listModes: true, listChanged: true },
        roots: { listRoots: true, listChanged: false },
        policyRegistry: { registerPolicy: true, listPolicies: true, listChanged: true },
        experimental: { features: { ext_mode_lifecycle: "true" } },
      },
    });
    expect(answer.runtimeInfo?.version).not.toBe("");
    expect(answer.supportedModes).toEqual(answer.supportedModes.toSorted());
    for (const { mode } of Object.values(modeTable)) expect(answer.supportedModes).toContain(mode);
  });

  test("Initialize without a version that both speak", async () => {
    const calls = await connect();
    const none = await failed(
      calls.initialize(create(InitializeRequestSchema), {}),
      grpcStatus.INVALID_ARGUMENT,
    );
    expect(none).toMatch(/^INVALID_REQUEST:/);
    const request = create(InitializeRequestSchema, { supportedProtocolVersions: ["2.0"] });
    const other = await failed(calls.initialize(request, {}), grpcStatus.FAILED_PRECONDITION);
    expect(other).toMatch(/^UNSUPPORTED_PROTOCOL_VERSION:/);
  });

  test("exactly five standard modes, and the extension beside them", async () => {
    const calls = await connect();
    const { modes } = await calls.listModes(create(ListModesRequestSchema), {});
    const names = ["decision", "handoff", "proposal", "quorum", "task"] as const;
    expect(modes.map(({ mode }) => mode).toSorted()).toEqual(
      names.map((key) => modeTable[key].mode),
    );
    for (const descriptor of modes) {
      expect(descriptor.modeVersion).toBe("1.0.0");
      expect(descriptor.terminalMessageTypes).toEqual(["Commitment"]);
      expect(descriptor.messageTypes).toContain("Commitment");
    }
    const extensions = await calls.listExtModes(create(ListExtModesRequestSchema), {});
    expect(extensions.modes.map(({ mode }) => mode)).toContain("ext.multi_round.v1");
  });

  test("the manifest is the runtime's own and no other's", async () => {
    const calls = await connect();
    for (const agentId of ["", "macp-runtime"]) {
      const { manifest } = await calls.getManifest(
        create(GetManifestRequestSchema, { agentId }),
        {},
      );
      expect(manifest?.agentId).toBe("macp-runtime");
      expect(manifest?.supportedModes).toContain("ext.multi_round.v1");
    }
    const other = create(GetManifestRequestSchema, { agentId: "other" });
    await failed(calls.getManifest(other, {}), grpcStatus.NOT_FOUND);
  });

  test("there are no roots", async () => {
    const calls = await connect();
    expect((await calls.listRoots(create(ListRootsRequestSchema), {})).roots).toEqual([]);
  });
}
