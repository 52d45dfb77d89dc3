import { AgentKeysError } from "@agentkeys/contract";
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { bearer, devAgent } from "./auth.ts";

test("a development agent is who it says; a bearer is whom the caller expects, or unknown", () => {
  expect([devAgent("alice").token, devAgent("alice").expectedSender]).toEqual(["alice", "alice"]);
  expect([bearer("t").token, bearer("t").expectedSender]).toEqual(["t", undefined]);
  expect(bearer("t", { expectedSender: "alice" }).expectedSender).toBe("alice");
});

test("the token does not show where the credential is printed, copied or written as JSON", () => {
  const auth = bearer("hush-hush", { expectedSender: "alice" });
  expect(inspect(auth)).not.toContain("hush");
  expect(JSON.stringify({ auth })).toBe('{"auth":{"expectedSender":"alice"}}');
  expect({ ...auth }).toEqual({ expectedSender: "alice" });
});

test("an empty token is config_invalid", () => {
  for (const make of [bearer, devAgent]) {
    let error: unknown;
    try {
      make("");
    } catch (thrown) {
      error = thrown;
    }
    expect(AgentKeysError.is(error, "config_invalid")).toBe(true);
  }
});
