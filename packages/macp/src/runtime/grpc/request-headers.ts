import type { IncomingHttpHeaders } from "node:http2";
import type { Credentials } from "../auth/identity.ts";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";

/** Bodies are protobuf, whether they say so or not. */
const known = /^application\/grpc(?:\+proto)?(?:$|;)/;

/** What is wrong with a request that is no gRPC at all, as an HTTP status; undefined where it is. */
export function httpProblem(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":method"] !== "POST") return 405;
  const type = headers["content-type"] ?? "";
  return type === "application/grpc" || known.test(type) ? undefined : 415;
}

/** Messages are taken as they are: nobody agreed on a compression. */
export function checkEncoding(headers: IncomingHttpHeaders): void {
  const encoding = headers["grpc-encoding"];
  if (encoding === undefined || encoding === "identity") return;
  const message = `messages compressed with ${JSON.stringify(encoding)} are not supported`;
  throw statusError({ status: grpcStatus.UNIMPLEMENTED, message });
}

/** ms of each unit. */
const units: Readonly<Record<string, number>> = {
  H: 3_600_000,
  M: 60_000,
  S: 1_000,
  m: 1,
  u: 1e-3,
  n: 1e-6,
};

/** ms; a timer of more fires at once. */
const longestTimer = 2 ** 31 - 1;

/** ms that the client gives the call; undefined where it says nothing, or nothing that can be read. */
export function timeoutOf(headers: IncomingHttpHeaders): number | undefined {
  const given = headers["grpc-timeout"];
  if (given === undefined) return undefined;
  const [, digits, unit = ""] = /^(\d{1,8})([HMSmun])$/.exec(String(given)) ?? [];
  if (digits === undefined) return undefined;
  return Math.min(Number(digits) * (units[unit] ?? 1), longestTimer);
}

/** What the caller showed. */
export function credentialsOf(headers: IncomingHttpHeaders): Credentials {
  const token = headers["x-macp-token"];
  return {
    authorization: headers.authorization,
    token: typeof token === "string" ? token : undefined,
  };
}
