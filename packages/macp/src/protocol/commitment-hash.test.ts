import { create } from "@bufbuild/protobuf";
import fc from "fast-check";
import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import { commitmentHash, isCommitmentHash } from "./commitment-hash.ts";

const first = {
  commitmentId: "c1",
  action: "decision.approved",
  authorityScope: "seam",
  reason: "sealed by seam",
  modeVersion: "macp.mode.decision.v1",
  policyVersion: "1.0.0",
  configurationVersion: "1.0.0",
  outcomePositive: true,
};
const firstHash = "sha256:9f58e9d114d11860d48aa2bcb8cda458b9618b1cc8560595a802b68c4af85d41";

/** The vectors that the protocol publishes with its hash registry. */
test.each([
  [first, firstHash],
  [
    {
      ...first,
      commitmentId: "c2",
      supersedes: { sessionId: "prior-sess", commitmentHash: firstHash },
    },
    "sha256:7cc490432ad6b25e9c19fc7c3a84f1e33abe497fca1fd5266ff0275db3650f9d",
  ],
  [{}, "sha256:3240d1a7adb7bd9420ad5490182227ce699c9e4e465f7934885fe2ded939f32e"],
  [{ supersedes: {} }, "sha256:9776c22ef165f26817f89bb456cf6bc56a659eb1561a576f6ea9a435bd3291d7"],
  [
    {
      ...first,
      commitmentId: "c5",
      action: 'decision."appro\\ved"',
      authorityScope: "caf\u00e9",
      reason: "r\u00e9\tsum\u00e9\n\u2014 na\u00efve \u{1f702}",
      outcomePositive: false,
    },
    "sha256:03f8ac2b8172958504092ce9fe5154dbcfe300fd30a350453d4e4bd715822ab2",
  ],
])("published vector %#", (payload, hash) => {
  expect(commitmentHash(create(CommitmentPayloadSchema, payload))).toBe(hash);
});

test("any payload hashes to what its canonical JSON hashes to", () => {
  const text = fc.string({ unit: "grapheme" });
  const field = fc.record({
    id: text,
    action: text,
    scope: text,
    reason: text,
    positive: fc.boolean(),
  });
  fc.assert(
    fc.property(field, ({ id, action, scope, reason, positive }) => {
      const members = [
        ["action", action],
        ["authority_scope", scope],
        ["commitment_id", id],
        ["configuration_version", ""],
        ["mode_version", ""],
        ["outcome_positive", positive],
        ["policy_version", ""],
        ["reason", reason],
      ].map(([key, value]) => `"${key}":${JSON.stringify(value)}`);
      const digest = createHash("sha256").update(`macp-commitment-hash/1:{${members.join(",")}}`);
      const payload = {
        commitmentId: id,
        action,
        authorityScope: scope,
        reason,
        outcomePositive: positive,
      };
      expect(commitmentHash(create(CommitmentPayloadSchema, payload))).toBe(
        `sha256:${digest.digest("hex")}`,
      );
    }),
  );
});

test.each([
  [firstHash, true],
  [firstHash.toUpperCase(), false],
  [firstHash.slice(7), false],
  [firstHash.slice(0, -1), false],
  [`${firstHash}0`, false],
  [` ${firstHash}`, false],
  ["sha256:", false],
  ["", false],
])("%s is canonical: %s", (text, canonical) => {
  expect(isCommitmentHash(text)).toBe(canonical);
});
