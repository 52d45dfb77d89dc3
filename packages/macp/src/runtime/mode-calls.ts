import { create } from "@bufbuild/protobuf";
import {
  ListExtModesResponseSchema,
  ListModesResponseSchema,
  PromoteModeResponseSchema,
  RegisterExtModeResponseSchema,
  UnregisterExtModeResponseSchema,
} from "../generated/macp/v1/core_pb.ts";
import { invalidArgument, requireManager } from "./access.ts";
import type { Part } from "./handlers.ts";
import type { ServiceContext } from "./service-context.ts";

/** Reading is open to everybody; changing needs the right. A change that is refused answers ok = false with the reason. */
export function modeCalls({
  kernel: { modes },
  authenticate,
}: ServiceContext): Part<
  "listModes" | "listExtModes" | "registerExtMode" | "unregisterExtMode" | "promoteMode"
> {
  return {
    listModes: () => create(ListModesResponseSchema, { modes: modes.standard() }),
    listExtModes: () => create(ListExtModesResponseSchema, { modes: modes.extensions() }),
    async registerExtMode({ modeDescriptor }, from) {
      await requireManager(authenticate, from);
      if (modeDescriptor === undefined)
        throw invalidArgument("INVALID_REQUEST: no mode_descriptor");
      return create(RegisterExtModeResponseSchema, modes.register(modeDescriptor));
    },
    async unregisterExtMode({ mode }, from) {
      await requireManager(authenticate, from);
      return create(UnregisterExtModeResponseSchema, modes.unregister(mode));
    },
    async promoteMode({ mode, promotedModeName }, from) {
      await requireManager(authenticate, from);
      return create(PromoteModeResponseSchema, modes.promote(mode, promotedModeName));
    },
  };
}
