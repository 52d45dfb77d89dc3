import { AgentKeysError } from "@agentkeys/contract";
import { macpErrors, toMacpErrorCode } from "../protocol/error-codes.ts";
import { type Calls, present } from "./calls.ts";
import type { ProtocolClient } from "./client-surface.ts";
import { toPolicyDescriptor, toPolicyInfo } from "./policy-info.ts";

type RegistryCalls = Pick<
  ProtocolClient,
  | "getManifest"
  | "listModes"
  | "listExtModes"
  | "registerExtMode"
  | "unregisterExtMode"
  | "promoteMode"
  | "listRoots"
  | "registerPolicy"
  | "unregisterPolicy"
  | "getPolicy"
  | "listPolicies"
>;

/** Modes, roots and policies. */
export function createRegistryCalls(call: Calls): RegistryCalls {
  return {
    getManifest: async (agentId = "", options) =>
      call(
        "getManifest",
        { agentId },
        {
          options,
          read: ({ manifest }) => present(manifest, "a manifest"),
        },
      ),
    listModes: async (options) => call("listModes", {}, { options, read: ({ modes }) => modes }),
    listExtModes: async (options) =>
      call("listExtModes", {}, { options, read: ({ modes }) => modes }),
    listRoots: async (options) => call("listRoots", {}, { options, read: ({ roots }) => roots }),
    registerExtMode: async (modeDescriptor, options) =>
      call("registerExtMode", { modeDescriptor }, { options, read: done }),
    unregisterExtMode: async (mode, options) =>
      call("unregisterExtMode", { mode }, { options, read: done }),
    promoteMode: async (mode, promotedModeName = "", options) =>
      call(
        "promoteMode",
        { mode, promotedModeName },
        {
          options,
          read: (answer) => {
            done(answer);
            return answer.mode;
          },
        },
      ),
    registerPolicy: async (policy, options) => {
      const policyDescriptor = toPolicyDescriptor(policy);
      return call("registerPolicy", { policyDescriptor }, { options, read: done });
    },
    unregisterPolicy: async (policyId, options) =>
      call("unregisterPolicy", { policyId }, { options, read: done }),
    getPolicy: async (policyId, options) =>
      call(
        "getPolicy",
        { policyId },
        {
          options,
          read: ({ policyDescriptor }) => toPolicyInfo(present(policyDescriptor, "a policy")),
        },
      ),
    listPolicies: async (mode = "", options) =>
      call(
        "listPolicies",
        { mode },
        {
          options,
          read: ({ descriptors }) => descriptors.map(toPolicyInfo),
        },
      ),
  };
}

/** A registry refuses with a text of its own; newer runtimes put a code before it. */
function done({ ok, error }: { ok: boolean; error: string }): void {
  if (ok) return;
  const macpCode = toMacpErrorCode(error);
  if (macpCode === undefined) throw new AgentKeysError("invalid_params", error);
  throw new AgentKeysError(macpErrors[macpCode].code, error, { data: { macp_code: macpCode } });
}
