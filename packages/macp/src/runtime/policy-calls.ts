import { create } from "@bufbuild/protobuf";
import {
  GetPolicyResponseSchema,
  ListPoliciesResponseSchema,
  RegisterPolicyResponseSchema,
  UnregisterPolicyResponseSchema,
} from "../generated/macp/v1/policy_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusError } from "../protocol/refusal.ts";
import { invalidArgument, requireIdentity, requireManager } from "./access.ts";
import type { Part } from "./handlers.ts";
import type { ServiceContext } from "./service-context.ts";

export function policyCalls({
  kernel: { policies },
  authenticate,
  policiesReadOnly,
}: ServiceContext): Part<"registerPolicy" | "unregisterPolicy" | "getPolicy" | "listPolicies"> {
  // Before the credential is looked at, as in the reference runtime: nobody may.
  const writable = (): void => {
    if (!policiesReadOnly) return;
    throw statusError({
      status: grpcStatus.FAILED_PRECONDITION,
      message: "the policy registry is read-only: MACP_POLICIES_DIR holds its policies",
    });
  };
  return {
    async registerPolicy({ policyDescriptor }, from) {
      writable();
      await requireManager(authenticate, from);
      if (policyDescriptor === undefined) {
        throw invalidArgument("INVALID_REQUEST: no policy_descriptor");
      }
      return create(RegisterPolicyResponseSchema, policies.register(policyDescriptor));
    },
    async unregisterPolicy({ policyId }, from) {
      writable();
      await requireManager(authenticate, from);
      return create(UnregisterPolicyResponseSchema, policies.unregister(policyId));
    },
    async getPolicy({ policyId }, from) {
      await requireIdentity(authenticate, from);
      const policyDescriptor = policies.get(policyId);
      if (policyDescriptor === undefined) {
        const message = `Policy '${policyId}' not found`;
        throw statusError({ status: grpcStatus.NOT_FOUND, message });
      }
      return create(GetPolicyResponseSchema, { policyDescriptor });
    },
    async listPolicies({ mode }, from) {
      await requireIdentity(authenticate, from);
      return create(ListPoliciesResponseSchema, { descriptors: policies.list(mode) });
    },
  };
}
