import type { OutgoingHttpHeaders } from "node:http2";
import type { Trailers } from "./status.ts";

/** gRPC knows no date. */
export const withTrailers = { waitForTrailers: true, sendDate: false };

const list = [":status", "200", "content-type", "application/grpc"] as const;

/** Node.js takes a flat list of headers since 24.7: a call then costs a tenth less than with an object. */
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
const takesLists = major > 24 || (major === 24 && minor >= 7);

/** How an answer begins, or the whole of one that is only a failure. Node.js may add to what it is given. */
export function beginning(failure?: Trailers): OutgoingHttpHeaders | string[] {
  if (failure === undefined && takesLists) return [...list];
  return { ":status": 200, "content-type": "application/grpc", ...failure };
}
