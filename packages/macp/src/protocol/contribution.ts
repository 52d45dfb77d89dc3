import { create, fromBinary } from "@bufbuild/protobuf";
import {
  type ContributePayload,
  ContributePayloadSchema,
} from "../generated/macp/modes/multi_round/v1/multi_round_pb.ts";

const openingBrace = 0x7b;

/**
 * A Contribute payload. Older clients write the JSON object `{"value":"…"}`; a text that starts with `{`
 * is never a ContributePayload. Throws where the bytes are neither, and where there are none.
 */
export function contributionOf(bytes: Uint8Array): ContributePayload {
  if (bytes.length === 0) throw new TypeError("an empty Contribute payload");
  const value = bytes[0] === openingBrace ? legacyValue(bytes) : undefined;
  return value === undefined
    ? fromBinary(ContributePayloadSchema, bytes)
    : create(ContributePayloadSchema, { value });
}

function legacyValue(bytes: Uint8Array): string | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof parsed !== "object" || parsed === null || !("value" in parsed)) return undefined;
    return typeof parsed.value === "string" ? parsed.value : undefined;
  } catch {
    return undefined;
  }
}
