import type { OutgoingHttpHeaders } from "node:http2";
import { AgentKeysError } from "@agentkeys/contract";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusOf } from "../../protocol/refusal.ts";
import { detailsTrailer } from "../../transports/grpc-details.ts";

/** How a call ends, as trailers. */
export type Trailers = Readonly<OutgoingHttpHeaders>;

export const succeeded: Trailers = { "grpc-status": "0" };

/** Characters of a text that travel: all headers together have to fit into what a client takes. */
const longestText = 4_096;
const longestDetails = 8_192;

/** An error without a status is ours and says nothing about itself. */
export function toTrailers(error: unknown): Trailers {
  const status = statusOf(error);
  if (status === undefined || !AgentKeysError.is(error)) {
    return { "grpc-status": String(grpcStatus.INTERNAL), "grpc-message": "internal error" };
  }
  const trailers = { "grpc-status": String(status), "grpc-message": encodeText(error.message) };
  const reasons = error.data?.["reasons"];
  if (reasons === undefined) return trailers;
  const details = Buffer.from(JSON.stringify({ reasons })).toString("base64");
  return details.length > longestDetails ? trailers : { ...trailers, [detailsTrailer]: details };
}

/** Percent-encoded UTF-8, but for visible ASCII and spaces. */
function encodeText(text: string): string {
  const short = text.slice(0, longestText);
  return short.replaceAll(/[^ -$&-~]+/g, (odd) =>
    Buffer.from(odd)
      .toString("hex")
      .toUpperCase()
      .replaceAll(/../g, (byte) => `%${byte}`),
  );
}
