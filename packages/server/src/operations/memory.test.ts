import { capHash, type CapToken, keccak256, bytesToHex0x } from "@agentkeys/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { actor, device, open, operator, other } from "../testdata/harness.test-kit.ts";

const scopeDenied =
  'cap_mint failed: backend HTTP error (403): {"error":"requested service is not in agent\'s scope","reason":"service_not_in_scope"}';

test("a note comes back, sizes and keys are upstream's, and each access is recorded", async () => {
  const { ok, records } = await open();
  const content = "Chengdu trip — 成都";
  const put = await ok("memory.put", { namespace: "Travel", content });
  const size = Buffer.byteLength(content) + 29;
  const s3_key = `bots/${actor.slice(2)}/memory/memory:travel.enc`;
  expect(put).toEqual({ ok: true, namespace: "Travel", s3_key, envelope_size: size });
  expect(await ok("memory.get", { namespace: "travel" })).toEqual({
    ok: true,
    namespace: "travel",
    content,
  });
  const hash = expect.stringMatching(/^0x[0-9a-f]{64}$/) as string;
  expect(await records()).toMatchObject([
    {
      op: "memory.put",
      result: 0,
      actor,
      operator,
      body: { key: "memory:travel", payload_hash: hash },
    },
    {
      op: "memory.get",
      result: 0,
      actor,
      operator,
      body: { key: "memory:travel", cap_hash: hash },
    },
  ]);
});

// Case 34, in the form that the default surface gives it.
test("outside its namespaces an actor gets an empty result and a record, never the note", async () => {
  const { authority, ok, records } = await open();
  const violation = { ok: false, namespace: "family", namespace_violation: true };
  expect(await ok("memory.get", { namespace: "family" })).toEqual({ ...violation, content: "" });
  const reason = "namespace_not_allowed";
  expect(await ok("memory.put", { namespace: "family", content: "x" })).toEqual({
    ...violation,
    reason,
  });
  expect(await records()).toMatchObject([
    { op: "memory.get", result: 2, body: { key: "memory:family" } },
    { op: "memory.put", result: 2, body: { key: "memory:family" } },
  ]);
  expect(authority.summary.actors).toContain(actor);
});

test("without the scope there is an error and a record", async () => {
  const { call, records } = await open();
  const args = { actor: other, namespace: "travel", content: "x" };
  for (const tool of ["memory.get", "memory.put"]) {
    const { error } = await call(tool, args, { as: other });
    expect(error).toEqual({ code: -32000, message: scopeDenied });
  }
  expect(await records()).toMatchObject([
    { op: "memory.get", result: 2, actor: other, body: { key: "memory:travel" } },
    { op: "memory.put", result: 2, actor: other, body: { key: "memory:travel" } },
  ]);
});

test("an unwritten note is a 404 and recorded as a failure", async () => {
  const { call, records } = await open();
  const message = "memory_get failed: backend HTTP error (404): no memory in namespace `profile`";
  expect((await call("memory.get", { namespace: "profile" })).error).toEqual({
    code: -32000,
    message,
  });
  expect(await records()).toMatchObject([{ op: "memory.get", result: 1 }]);
});

test.each([
  [{ operator_omni: "ab" }, "operator_omni must start with 0x"],
  [{ device_key_hash: "0xab" }, "device_key_hash must be 66 chars (0x + 64 hex), got 4"],
  [{ namespace: "a/b" }, "service must not contain wildcard or path characters (* ? / \\ ..)"],
  [{ namespace: "a..b" }, "service must not contain wildcard or path characters (* ? / \\ ..)"],
  [{ namespace: "n".repeat(58) }, "service must be 1..=64 chars"],
  [{ namespace: "成".repeat(20) }, "service must be 1..=64 chars"],
])("the broker's refusal of %j comes through, and nothing is stored", async (args, error) => {
  const { call, records } = await open({ bare: true });
  const message = `cap_mint failed: backend HTTP error (400): ${JSON.stringify({ error, reason: "invalid_input" })}`;
  const answer = await call("memory.put", { namespace: "travel", content: "x", ...args });
  expect(answer.error).toEqual({ code: -32000, message });
  expect(await records()).toEqual([]);
});

test("another operator than the actor's own is refused", async () => {
  const { call, records } = await open();
  const { error } = await call("memory.get", { namespace: "travel", operator_omni: other });
  expect(error).toMatchObject({ code: -32003 });
  expect(await records()).toEqual([]);
});

test("a configured actor needs not name its operator", async () => {
  const { ok, records } = await open();
  const note = { namespace: "travel", operator_omni: undefined, content: "here" };
  await ok("memory.put", note);
  expect(await ok("memory.get", note)).toMatchObject({ content: "here" });
  expect((await records()).map((row) => row.operator)).toEqual([operator, operator]);
});

test("any text survives", async () => {
  const { ok } = await open();
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (content) => {
      await ok("memory.put", { namespace: "travel", content });
      expect((await ok("memory.get", { namespace: "travel" }))["content"]).toBe(content);
    }),
    { numRuns: 30 },
  );
});

test("upper and lower case name one actor: spelling it anew opens nothing else", async () => {
  const { ok } = await open();
  await ok("memory.put", { namespace: "travel", content: "here" });
  const upper = `0x${actor.slice(2).toUpperCase()}`;
  const got = await ok("memory.get", { actor: upper, namespace: "travel" }, { as: upper });
  expect(got["content"]).toBe("here");
});

describe("a presented capability", () => {
  const minted = async (
    harness: Awaited<ReturnType<typeof open>>,
    op = "memory_get",
    service = "memory:travel",
  ) => {
    const params = { operator_omni: operator, device_key_hash: device, service };
    return (await harness.ok("cap.mint", { op, params }))["cap"] as unknown as CapToken;
  };
  const note = { namespace: "travel", content: "x" };

  test("stands for the access that it was minted for, as often as asked", async () => {
    const harness = await open();
    await harness.ok("memory.put", note);
    const cap = await minted(harness);
    for (const _ of [1, 2]) await harness.ok("memory.get", { ...note, cap });
    const gets = (await harness.records()).filter(({ op }) => op === "memory.get");
    expect(gets.map(({ body }) => body["cap_hash"])).toEqual([
      capHash(cap.payload),
      capHash(cap.payload),
    ]);
  });

  // Case 29: revoked, unknown, expired.
  test("that was revoked, or minted elsewhere, or has expired", async () => {
    let now = Date.now();
    const clock = () => now;
    const [harness, elsewhere] = [await open({ clock }), await open({ clock })];
    await harness.ok("memory.put", note);
    const error = async (cap: CapToken) =>
      (await harness.call("memory.get", { ...note, cap })).error;
    const step = "memory_get failed: backend HTTP error (403): ";

    const revoked = await minted(harness);
    await harness.ok("cap.revoke", { cap_id: revoked.payload.nonce });
    expect(await error(revoked)).toEqual({
      code: -32000,
      message: `${step}cap revoked: cap_id=${revoked.payload.nonce}`,
    });

    const foreign = await minted(elsewhere);
    const bad = JSON.stringify({ error: "signature verify failed", reason: "broker_sig_invalid" });
    expect(await error(foreign)).toMatchObject({ message: step + bad });

    const expired = await minted(harness);
    const { expires_at } = expired.payload;
    now = expires_at * 1000;
    const late = {
      error: `cap expired at ${expires_at} (now=${expires_at})`,
      reason: "cap_freshness_failed",
    };
    expect(await error(expired)).toMatchObject({ message: step + JSON.stringify(late) });
  });

  test.each([
    [
      "memory_put",
      "memory:travel",
      "cap op Store does not match endpoint Fetch",
      "cap_op_mismatch",
    ],
    [
      "cred_fetch",
      "openrouter",
      "cap data_class Credentials does not match endpoint Memory",
      "cap_data_class_mismatch",
    ],
    ["memory_get", "memory:profile", "cap was minted for another service", "cap_service_mismatch"],
  ])("for %s of %s opens nothing else", async (op, service, error, reason) => {
    const harness = await open();
    await harness.ok("memory.put", note);
    const cap = await minted(harness, op, service);
    const answer = await harness.call("memory.get", { ...note, cap });
    const message = `memory_get failed: backend HTTP error (403): ${JSON.stringify({ error, reason })}`;
    expect(answer.error).toMatchObject({ code: -32000, message });
  });

  test("changed in one place, whatever it is, opens nothing", async () => {
    const harness = await open();
    await harness.ok("memory.put", note);
    const cap = await minted(harness);
    for (const [field, value] of Object.entries(cap.payload)) {
      const changed =
        typeof value === "number"
          ? value + 1
          : `${value.slice(0, -1)}${value.endsWith("0") ? 1 : 0}`;
      const forged = { ...cap, payload: { ...cap.payload, [field]: changed } };
      const { error } = await harness.call("memory.get", { ...note, cap: forged });
      expect(error?.message).toContain("broker_sig_invalid");
    }
    for (const garbage of ["", 7, {}, [], { payload: {}, broker_sig: "x" }]) {
      const { error } = await harness.call("memory.get", { ...note, cap: garbage });
      expect(error?.message).toContain("broker_sig_invalid");
    }
  });

  test("is ignored on v1, as upstream ignores it", async () => {
    const { ok } = await open({ bare: true, surface: "v1" });
    await ok("memory.put", { ...note, cap: "nonsense" });
    expect(await ok("memory.get", { ...note, cap: "nonsense" })).toMatchObject({
      ok: true,
      content: "x",
    });
  });
});

test("the record of a put names the ciphertext, which differs each time", async () => {
  const { ok, records } = await open();
  for (const _ of [1, 2]) await ok("memory.put", { namespace: "travel", content: "same" });
  const hashes = (await records()).map(({ body }) => body["payload_hash"]);
  expect(new Set(hashes).size).toBe(2);
  expect(hashes).not.toContain(bytesToHex0x(keccak256(Buffer.from("same"))));
});
