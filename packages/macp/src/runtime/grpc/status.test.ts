import fc from "fast-check";
import { expect, test } from "vitest";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";
import { toTrailers } from "./status.ts";

const notFound = (message: string, details?: Uint8Array) =>
  toTrailers(statusError({ status: grpcStatus.NOT_FOUND, message, details }));

test("any text arrives as it was, and as visible ASCII", () => {
  const text = fc.string({ unit: "binary", maxLength: 300 });
  fc.assert(
    fc.property(text, (message) => {
      const trailers = notFound(message);
      expect(trailers["grpc-status"]).toBe("5");
      expect(trailers["grpc-message"]).toMatch(/^[ -~]*$/);
      expect(decodeURIComponent(trailers["grpc-message"] as string)).toBe(message);
    }),
  );
});

test("a long text is cut, so that the trailers are still taken", () => {
  const text = notFound("é".repeat(100_000))["grpc-message"] as string;
  expect(text.length).toBeLessThan(32_768);
});

test("reasons travel as JSON in a trailer of their own, where they are not too many", () => {
  const details = (reasons: readonly string[]) => {
    const bytes = new TextEncoder().encode(JSON.stringify({ reasons }));
    return notFound("no", bytes)["macp-error-details-bin"];
  };
  const sent = Buffer.from(details(["é"]) as string, "base64").toString();
  expect(JSON.parse(sent)).toEqual({ reasons: ["é"] });
  expect(details(["x".repeat(100_000)])).toBeUndefined();
});

test("an error that is no status of ours says nothing about itself", () => {
  const trailers = { "grpc-status": "13", "grpc-message": "internal error" };
  expect(toTrailers(new Error("/secret/path"))).toEqual(trailers);
});
