import { capPayloadJson, type CapToken } from "@agentkeys/contract";
import { expect, test } from "vitest";
import { actor, device, foreign, open, operator, other } from "../testdata/harness.test-kit.ts";

const params = { operator_omni: operator, device_key_hash: device };

test.each(["default", "v1"] as const)("%s: a token as the broker makes one", async (surface) => {
  const now = 1_700_000_000;
  const { ok } = await open({ bare: true, surface, clock: () => now * 1000 });
  const upper = `0x${actor.slice(2).toUpperCase()}`;
  const args = {
    actor: upper,
    op: "memory_put",
    params: { ...params, service: "memory:Travel" },
    ttl: 99_999,
  };
  const minted = await ok("cap.mint", args, { as: upper });
  const { cap, ...rest } = minted as unknown as { cap: CapToken };
  expect(rest).toEqual({ ok: true, op: "memory_put", data_class: "memory", ttl_seconds: 99_999 });
  expect(cap.payload).toEqual({
    operator_omni: operator,
    actor_omni: actor,
    service: "memory:travel",
    op: "store",
    data_class: "memory",
    device_key_hash: device,
    k3_epoch: 1,
    issued_at: now,
    expires_at: now + 1800,
    nonce: expect.stringMatching(/^[0-9a-f]{32}$/) as string,
  });
  expect(cap.broker_sig).toMatch(/^[A-Za-z0-9_-]{86}$/);
  expect(capPayloadJson(cap.payload)).toContain('"service":"memory:travel","op":"store"');
});

test.each([
  [1, 60],
  [59, 60],
  [1800, 1800],
  [undefined, 300],
  [1.5, 300],
])("ttl %s lives %i seconds", async (ttl, lifetime) => {
  const { ok } = await open();
  const { cap } = (await ok("cap.mint", { op: "memory_get", params, ttl })) as unknown as {
    cap: CapToken;
  };
  expect(cap.payload.expires_at - cap.payload.issued_at).toBe(lifetime);
});

test("on the default surface minting and revoking are recorded, on v1 they are not", async () => {
  for (const surface of ["default", "v1"] as const) {
    const { ok, records } = await open({ bare: true, surface });
    const { cap } = (await ok("cap.mint", { op: "memory_get", params })) as unknown as {
      cap: CapToken;
    };
    const cap_id = cap.payload.nonce;
    await ok("cap.revoke", { cap_id });
    await ok("cap.revoke", { cap_id });
    const expected = [
      {
        op: "cap.mint",
        result: 0,
        actor,
        operator,
        body: { op: "memory_get", service: "memory", cap_id },
      },
      { op: "cap.revoke", result: 0, actor, operator, body: { cap_id } },
    ];
    expect(await records()).toMatchObject(surface === "v1" ? [] : expected);
  }
});

test.each([
  ["memory_get", "memory:family", actor],
  ["memory_get", "openrouter", actor],
  ["cred_fetch", "stripe", actor],
  ["config_fetch", undefined, actor],
  ["memory_get", "memory:travel", other],
])("%s of %s is beyond the scopes of its actor", async (op, service, as) => {
  const { call, records } = await open();
  const { error } = await call(
    "cap.mint",
    { actor: as, op, params: { ...params, service } },
    { as },
  );
  const body = {
    error: "requested service is not in agent's scope",
    reason: "service_not_in_scope",
  };
  expect(error).toEqual({
    code: -32000,
    message: `backend HTTP error (403): ${JSON.stringify(body)}`,
  });
  expect(await records()).toMatchObject([{ op: "cap.mint", result: 2, actor: as }]);
});

test("an actor revokes its own capabilities only; another's looks unknown", async () => {
  const { ok, call } = await open();
  const { cap } = (await ok("cap.mint", { op: "memory_get", params })) as unknown as {
    cap: CapToken;
  };
  const cap_id = cap.payload.nonce;
  const message = `backend HTTP error (404): unknown cap_id: ${cap_id}`;
  const thief = await call("cap.revoke", { cap_id }, { as: foreign, token: "acme-tok" });
  expect(thief.error).toEqual({ code: -32000, message });
  expect(await ok("cap.revoke", { cap_id })).toMatchObject({
    note: `dev-mode revoke; cap_id=${cap_id} now denied for subsequent calls`,
  });
});
