import { create } from "@bufbuild/protobuf";
import {
  GetManifestResponseSchema,
  InitializeResponseSchema,
  ListRootsResponseSchema,
} from "../generated/macp/v1/core_pb.ts";
import type { MessageInitShape } from "@bufbuild/protobuf";
import type { CapabilitiesSchema } from "../generated/macp/v1/core_pb.ts";
import { macpVersion } from "../protocol/constants.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import type { Part } from "./handlers.ts";
import type { ServiceContext } from "./service-context.ts";

const agentId = "macp-runtime";
const contentType = "application/macp-envelope+proto";

/** Open to everybody. */
export function handshakeCalls(
  context: ServiceContext,
): Part<"initialize" | "getManifest" | "listRoots"> {
  const { modes } = context.kernel;
  return {
    initialize({ supportedProtocolVersions: versions }) {
      if (versions.length === 0) {
        const message = "INVALID_REQUEST: supported_protocol_versions is empty";
        throw statusError({ status: grpcStatus.INVALID_ARGUMENT, message });
      }
      if (!versions.includes(macpVersion)) {
        const message = `UNSUPPORTED_PROTOCOL_VERSION: this runtime speaks ${macpVersion}`;
        throw statusError({ status: grpcStatus.FAILED_PRECONDITION, message });
      }
      return create(InitializeResponseSchema, {
        selectedProtocolVersion: macpVersion,
        runtimeInfo: {
          name: agentId,
          title: "AgentKeys MACP runtime",
          version: "0.1.0",
          description: "The embedded runtime of @agentkeys/macp.",
        },
        capabilities: capabilities(!context.policiesReadOnly),
        supportedModes: modes.names(),
        instructions:
          "Authenticate with `authorization: Bearer <token>`; start a session with a SessionStart envelope.",
      });
    },
    getManifest({ agentId: asked }) {
      if (asked !== "" && asked !== agentId) {
        const message = `Agent '${asked}' not found`;
        throw statusError({ status: grpcStatus.NOT_FOUND, message });
      }
      return create(GetManifestResponseSchema, {
        manifest: {
          agentId,
          title: "AgentKeys MACP runtime",
          description: "The embedded runtime of @agentkeys/macp.",
          supportedModes: modes.names(),
          inputContentTypes: [contentType],
          outputContentTypes: [contentType],
        },
      });
    },
    listRoots: () => create(ListRootsResponseSchema),
  };
}

function capabilities(registerPolicy: boolean): MessageInitShape<typeof CapabilitiesSchema> {
  return {
    sessions: { stream: true, listSessions: true, watchSessions: true },
    cancellation: { cancelSession: true },
    progress: { progress: true },
    manifest: { getManifest: true },
    modeRegistry: { listModes: true, listChanged: true },
    // Roots never change here, and saying so is part of the contract.
    roots: { listRoots: true, listChanged: false },
    policyRegistry: { registerPolicy, listPolicies: true, listChanged: true },
    experimental: { features: { ext_mode_lifecycle: "true" } },
  };
}
