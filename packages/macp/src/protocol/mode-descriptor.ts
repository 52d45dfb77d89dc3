import { create } from "@bufbuild/protobuf";
import { type ModeDescriptor, ModeDescriptorSchema } from "../generated/macp/v1/core_pb.ts";
import { type ModeKey, modeTable, terminalMessageType } from "./mode-table.ts";

/** A built-in mode as ListModes and ListExtModes show it. */
export function toModeDescriptor(key: ModeKey): ModeDescriptor {
  const { mode, modeVersion, title, description, determinismClass, participantModel, payloads } =
    modeTable[key];
  return create(ModeDescriptorSchema, {
    mode,
    modeVersion,
    title,
    description,
    determinismClass,
    participantModel,
    messageTypes: ["SessionStart", ...Object.keys(payloads)],
    terminalMessageTypes: [terminalMessageType],
    schemaUris: { protobuf: "buf.build/multiagentcoordinationprotocol/macp" },
  });
}
