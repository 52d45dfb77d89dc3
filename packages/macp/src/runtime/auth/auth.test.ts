import { exportJWK, generateKeyPair, SignJWT, type JWTPayload } from "jose";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createAuthentication, type RuntimeAuth } from "../authentication.ts";
import type { Authenticate, Identity } from "./identity.ts";

/** undefined leaves a claim out. */
type Claims = { readonly [K in keyof JWTPayload]?: JWTPayload[K] | undefined };

const now = () => Date.now();
const bearer = (token: string) => ({ authorization: `Bearer ${token}` });
const sender = async (identity: ReturnType<Authenticate>) => (await identity)?.sender;

describe("development", () => {
  const authenticate = createAuthentication(undefined, now);

  test("whoever calls names itself, in either header, with every right but the observer's", async () => {
    const identity = (await authenticate(bearer("alice"))) as Identity;
    expect(identity).toEqual({
      sender: "alice",
      allowedModes: undefined,
      canStartSessions: true,
      maxOpenSessions: undefined,
      canManageModeRegistry: true,
      isObserver: false,
    });
    expect(await sender(authenticate({ token: "bob" }))).toBe("bob");
    expect(await sender(authenticate(bearer("")))).toBe("");
  });

  test.each([{}, { authorization: "alice" }, { authorization: "bearer alice" }])(
    "%o is no credential",
    async (from) => expect(await authenticate(from)).toBeUndefined(),
  );
});

describe("static tokens", () => {
  const entries = [
    { token: "t-alice", sender: "alice" },
    {
      token: "t-bob",
      sender: "bob",
      allowed_modes: ["macp.mode.task.v1"],
      can_start_sessions: false,
      max_open_sessions: 2,
      can_manage_mode_registry: true,
      is_observer: true,
    },
  ];

  test.each([{ tokens: entries }, entries])("as a list and in an object", async (json) => {
    const authenticate = createAuthentication({ tokens: JSON.stringify(json) }, now);
    expect(await authenticate(bearer("t-alice"))).toEqual({
      sender: "alice",
      allowedModes: undefined,
      canStartSessions: true,
      maxOpenSessions: undefined,
      canManageModeRegistry: false,
      isObserver: false,
    });
    expect(await authenticate({ token: "t-bob" })).toEqual({
      sender: "bob",
      allowedModes: new Set(["macp.mode.task.v1"]),
      canStartSessions: false,
      maxOpenSessions: 2,
      canManageModeRegistry: true,
      isObserver: true,
    });
    expect(await authenticate(bearer("alice"))).toBeUndefined();
    expect(await authenticate(bearer("has.a.dot"))).toBeUndefined();
  });

  test.each([
    ["{", "not JSON"],
    ['{"tokens":3}', "not a list of tokens"],
    ['[{"token":"s3cret"}]', "sender"],
    ['[{"token":"s3cret","sender":"a"},{"token":"s3cret","sender":"b"}]', "same token"],
  ])("%s is refused without showing a token", (tokens, text) => {
    const create = () => createAuthentication({ tokens }, now);
    expect(create).toThrow(text);
    expect(create).not.toThrow("s3cret");
  });
});

describe("JWT", () => {
  const issuer = "https://issuer.example";
  const secret = new TextEncoder().encode("a secret of more than thirty-two bytes, to be sure");
  const padded = Buffer.from(secret).toString("base64");
  const octet = JSON.stringify({ keys: [{ kty: "oct", k: padded }] });
  const hs256: RuntimeAuth = { jwt: { issuer, jwks: { json: octet }, algorithms: ["HS256"] } };

  const sign = async (claims: Claims = {}, key: Uint8Array | CryptoKey = secret, alg = "HS256") => {
    const at = Math.floor(Date.now() / 1000);
    const all = { sub: "alice", iss: issuer, aud: "macp-runtime", exp: at + 600, ...claims };
    return new SignJWT(all as JWTPayload).setProtectedHeader({ alg }).sign(key);
  };

  test("a shared secret in padded base64 and without a key id", async () => {
    expect(padded).toMatch(/[+/=]/);
    const authenticate = createAuthentication(hs256, now);
    const scopes = { is_observer: true, allowed_modes: [], max_open_sessions: 1 };
    const token = await sign({ macp_scopes: scopes });
    const identity = {
      sender: "alice",
      allowedModes: new Set(),
      canStartSessions: true,
      maxOpenSessions: 1,
      canManageModeRegistry: false,
      isObserver: true,
    };
    expect(await authenticate(bearer(token))).toEqual(identity);
    // Seen before: without a signature's cost.
    expect(authenticate(bearer(token))).toEqual(identity);
  });

  const at = Math.floor(Date.now() / 1000);
  test.each<[string, Claims]>([
    ["another issuer", { iss: "https://other.example" }],
    ["no issuer", { iss: undefined }],
    ["another audience", { aud: "other" }],
    ["no audience", { aud: undefined }],
    ["expired", { exp: at - 120 }],
    ["no expiry", { exp: undefined }],
    ["no subject", { sub: undefined }],
    ["not yet valid", { nbf: at + 600 }],
  ])("%s is nobody", async (_, claims) => {
    const authenticate = createAuthentication(hs256, now);
    expect(await authenticate(bearer(await sign(claims)))).toBeUndefined();
  });

  test("a token made with another secret, or with none, is nobody", async () => {
    const authenticate = createAuthentication(hs256, now);
    const other = new TextEncoder().encode("another secret of more than thirty-two bytes!!");
    expect(await authenticate(bearer(await sign({}, other)))).toBeUndefined();
    const [, payload = ""] = (await sign()).split(".");
    const none = Buffer.from('{"alg":"none"}').toString("base64url");
    expect(await authenticate(bearer(`${none}.${payload}.`))).toBeUndefined();
    expect(await authenticate(bearer("not.a.jwt"))).toBeUndefined();
  });

  test("shared secrets are for whoever asks for them", async () => {
    const authenticate = createAuthentication({ jwt: { issuer, jwks: { json: octet } } }, now);
    expect(await authenticate(bearer(await sign()))).toBeUndefined();
  });

  test("a public key is no shared secret", async () => {
    const { publicKey } = await generateKeyPair("ES256", { extractable: true });
    const jwk = await exportJWK(publicKey);
    const jwks = { json: JSON.stringify({ keys: [jwk] }) };
    const both = createAuthentication(
      { jwt: { issuer, jwks, algorithms: ["ES256", "HS256"] } },
      now,
    );
    const forged = await sign({}, new TextEncoder().encode(JSON.stringify(jwk)));
    expect(await both(bearer(forged))).toBeUndefined();
  });

  test("a JWT's answer is final; other bearers go to the static tokens", async () => {
    const both = {
      ...hs256,
      tokens: [
        { token: "a.b.c", sender: "dotted" },
        { token: "t", sender: "t" },
      ],
    };
    const authenticate = createAuthentication(both, now);
    expect(await authenticate(bearer("a.b.c"))).toBeUndefined();
    expect(await sender(authenticate(bearer("t")))).toBe("t");
    expect(await authenticate({ token: await sign() })).toBeUndefined();
  });

  test("an unknown algorithm or a broken key set is a configuration error", () => {
    const jwt = { issuer, jwks: { json: octet } };
    expect(() => createAuthentication({ jwt: { ...jwt, algorithms: ["none"] } }, now)).toThrow(
      "none",
    );
    for (const json of ["{", "{}", "[]"]) {
      expect(() => createAuthentication({ jwt: { issuer, jwks: { json } } }, now)).toThrow("jwks");
    }
  });

  describe("a key set that is fetched", () => {
    const serve = async () => {
      const state = { status: 200, body: "", asked: 0 };
      const server = createServer((_request, response) => {
        state.asked++;
        response.writeHead(state.status).end(state.body);
      });
      await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
      onTestFinished(() => void server.close());
      return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
    };
    const keyPair = async (kid: string) => {
      const { publicKey, privateKey } = await generateKeyPair("ES256", { extractable: true });
      return { jwk: { ...(await exportJWK(publicKey)), kid }, privateKey };
    };
    const signWith = async (key: CryptoKey, kid: string, exp = Date.now() / 1000 + 90_000) =>
      new SignJWT({ sub: "alice", iss: issuer, aud: "macp-runtime", exp: Math.floor(exp) })
        .setProtectedHeader({ alg: "ES256", kid })
        .sign(key);

    test("once for many callers, again after its time, and an hour more while it cannot be had", async () => {
      const { state, url } = await serve();
      const [a, b] = [await keyPair("a"), await keyPair("b")];
      let clock = Date.now();
      const jwt = { issuer, jwks: { url }, ttlMs: 1_000 };
      const authenticate = createAuthentication({ jwt }, () => clock);
      const [byA, byB] = [await signWith(a.privateKey, "a"), await signWith(b.privateKey, "b")];

      state.body = JSON.stringify({ keys: [a.jwk] });
      const first = await Promise.all([1, 2, 3].map(async () => sender(authenticate(bearer(byA)))));
      expect(first).toEqual(["alice", "alice", "alice"]);
      expect(await authenticate(bearer(byB))).toBeUndefined();
      expect(state.asked).toBe(1);

      clock += 1_001;
      state.body = JSON.stringify({ keys: [b.jwk] });
      expect(await sender(authenticate(bearer(byB)))).toBe("alice");
      expect(await authenticate(bearer(byA))).toBeUndefined();
      expect(state.asked).toBe(2);

      state.status = 503;
      clock += 3_600_000;
      expect(await sender(authenticate(bearer(byB)))).toBe("alice");
      clock += 2_000;
      expect(await authenticate(bearer(byB))).toBeUndefined();
      state.status = 200;
      clock += 2_000;
      expect(await sender(authenticate(bearer(byB)))).toBe("alice");
    });

    test("nobody while it has never been had, and no storm of fetches", async () => {
      const { state, url } = await serve();
      state.status = 500;
      const clock = Date.now();
      const authenticate = createAuthentication({ jwt: { issuer, jwks: { url } } }, () => clock);
      const { privateKey } = await keyPair("a");
      const token = await signWith(privateKey, "a");
      for (let i = 0; i < 5; i++) expect(await authenticate(bearer(token))).toBeUndefined();
      expect(state.asked).toBe(1);
    });
  });
});
