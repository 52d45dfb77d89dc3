import { afterEach, expect, test, vi } from "vitest";
import {
  actor,
  type Asked,
  broken,
  deviceKeyHash,
  type Handler,
  identity,
  operator,
  RpcProblem,
  type StandIn,
  standIn,
} from "../../test/stand-in.ts";
import { createClient } from "./client.ts";
import type { Client, SessionOptions } from "./client-surface.ts";

const open: (StandIn | Client)[] = [];

afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(open.splice(0).map((started) => started.close()));
});

const note = { ok: true, namespace: "travel", content: "Chengdu" };
const secret = { ok: true, service: "openrouter", content: "sk-1" };

function minting(): Handler {
  let minted = 0;
  return ({ params }) => {
    const {
      op,
      params: wanted,
      ttl = 300,
    } = params as {
      op: string;
      params: { service: string };
      ttl?: number;
    };
    minted += 1;
    return {
      ok: true,
      op,
      data_class: "memory",
      ttl_seconds: ttl,
      cap: {
        payload: {
          operator_omni: operator,
          actor_omni: actor,
          service: wanted.service,
          op,
          data_class: "memory",
          device_key_hash: deviceKeyHash,
          k3_epoch: 1,
          // A clock far from ours does no harm.
          issued_at: 1_000_000,
          expires_at: 1_000_000 + ttl,
          nonce: `nonce-${minted}`,
        },
        broker_sig: "sig",
      },
    };
  };
}

const ours: Handler = () => {
  throw new RpcProblem(-32602, "missing `begin_id`");
};

interface Scene {
  server: StandIn;
  client: Client;
  /** What was asked since the last time, the probe left out. */
  news(): string[];
  capOf(at: number): unknown;
}

async function scene(handlers: Record<string, Handler> = {}): Promise<Scene> {
  const server = await standIn({
    "guard/begin": ours,
    "agentkeys.cap.mint": minting(),
    "agentkeys.cap.revoke": () => ({ ok: true, revocation: "x", note: "x" }),
    "agentkeys.memory.get": () => note,
    "agentkeys.memory.put": () => ({ ok: true, namespace: "travel" }),
    "agentkeys.cred.fetch": () => secret,
    "agentkeys.cred.store": () => ({ ok: true, service: "openrouter" }),
    ...handlers,
  });
  const client = createClient({ url: server.url, ...identity, timeoutMs: 2000 });
  open.push(client, server);
  let read = 0;
  const nonceOf = ({ params }: Asked): unknown =>
    (params["cap"] as { payload: { nonce: string } } | undefined)?.payload.nonce;
  return {
    server,
    client,
    news: () => {
      const fresh = server.asked.slice(read).filter(({ what }) => what !== "guard/begin");
      read = server.asked.length;
      return fresh.map((asked) => {
        const { params, what } = asked;
        const short = what.replace("agentkeys.", "");
        if (what.endsWith("cap.revoke")) return `${short} ${String(params["cap_id"])}`;
        if (what.endsWith("cap.mint")) {
          const { service } = params["params"] as { service: string };
          return `${short} ${String(params["op"])} ${service} ${String(params["ttl"])}`;
        }
        return `${short} ${String(nonceOf(asked))}`;
      });
    },
    capOf: (at) => nonceOf(server.asked.at(at) as Asked),
  };
}

const session = (client: Client, options?: SessionOptions) => client.session(options);

test("a capability is minted on first use, kept per operation and service, revoked at the end", async () => {
  const { client, news } = await scene();
  const live = await session(client, { ttl: 120 });
  expect(news()).toEqual([]);
  expect(await live.memory.get({ namespace: "travel" })).toEqual(note);
  await live.memory.get({ namespace: "travel" });
  expect(news()).toEqual([
    "cap.mint memory_get memory:travel 120",
    "memory.get nonce-1",
    "memory.get nonce-1",
  ]);
  await live.memory.put({ namespace: "travel", content: "c" });
  await live.memory.get({ namespace: "family" });
  expect(news()).toEqual([
    "cap.mint memory_put memory:travel 120",
    "memory.put nonce-2",
    "cap.mint memory_get memory:family 120",
    "memory.get nonce-3",
  ]);
  await live.close();
  expect(news().toSorted()).toEqual([
    "cap.revoke nonce-1",
    "cap.revoke nonce-2",
    "cap.revoke nonce-3",
  ]);
  await expect(live.memory.get({ namespace: "travel" })).rejects.toMatchObject({
    code: "invalid_request",
  });
  await live.close();
  expect(news()).toEqual([]);
});

test("a credential gets a capability of its own each time", async () => {
  const { client, news } = await scene();
  {
    await using live = await session(client);
    expect(await live.cred.fetch({ service: "openrouter" })).toEqual(secret);
    await live.cred.fetch({ service: "openrouter" });
    await live.cred.store({ service: "openrouter", content: "sk-2" });
    expect(news()).toEqual([
      "cap.mint cred_fetch openrouter 300",
      "cred.fetch nonce-1",
      "cap.mint cred_fetch openrouter 300",
      "cred.fetch nonce-2",
      "cap.mint cred_store openrouter 300",
      "cred.store nonce-3",
    ]);
  }
  expect(news()).toHaveLength(3);
});

test("a server that is not ours never sees a capability", async () => {
  const { client, server, news } = await scene();
  delete server.handlers["guard/begin"];
  await using live = await session(client);
  await live.memory.get({ namespace: "travel" });
  await live.memory.get({ namespace: "travel" });
  expect(news()).toEqual([
    "cap.mint memory_get memory:travel 300",
    "memory.get undefined",
    "memory.get undefined",
  ]);
  expect(server.names().filter((name) => name === "guard/begin")).toHaveLength(1);
});

test("a capability that the caller brings is used as it is", async () => {
  const { client, news } = await scene();
  const { cap } = await client.cap.mint({ op: "memory_get", params: { service: "memory:travel" } });
  await using live = await session(client);
  await live.memory.get({ namespace: "travel", cap });
  expect(news()).toEqual(["cap.mint memory_get memory:travel undefined", "memory.get nonce-1"]);
});

test("many at once wait for one mint", async () => {
  const { client, news } = await scene();
  await using live = await session(client);
  await Promise.all(Array.from({ length: 8 }, () => live.memory.get({ namespace: "travel" })));
  expect(news().filter((line) => line.startsWith("cap.mint"))).toHaveLength(1);
});

test("near its end it is replaced once, in the background; after it, before the call", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { client, server, capOf } = await scene();
  await using live = await session(client, { ttl: 100 });
  const get = () => live.memory.get({ namespace: "travel" });
  const mints = () => server.names().filter((name) => name === "agentkeys.cap.mint").length;
  const mint = server.handlers["agentkeys.cap.mint"] as Handler;
  let release = (): void => {};
  await get();
  vi.advanceTimersByTime(79_000);
  await get();
  expect(mints()).toBe(1);
  vi.advanceTimersByTime(2000);
  server.handlers["agentkeys.cap.mint"] = async (asked, response) => {
    await new Promise<void>((resolve) => (release = resolve));
    return mint(asked, response);
  };
  await Promise.all([get(), get(), get()]);
  await get();
  await vi.waitFor(() => expect(mints()).toBe(2));
  expect(server.asked.filter(({ what }) => what === "agentkeys.memory.get")).toHaveLength(6);
  release();
  await vi.waitFor(async () => {
    await get();
    expect(capOf(-1)).toBe("nonce-2");
  });
  expect(mints()).toBe(2);
  server.handlers["agentkeys.cap.mint"] = mint;
  vi.advanceTimersByTime(200_000);
  await get();
  expect([mints(), capOf(-1)]).toEqual([3, "nonce-3"]);
});

test("a failed refresh is tried again, and does not fail the call that still has one", async () => {
  vi.useFakeTimers({ toFake: ["performance"] });
  const { client, news, server } = await scene();
  const mint = server.handlers["agentkeys.cap.mint"] as Handler;
  await using live = await session(client, { ttl: 100 });
  await live.memory.get({ namespace: "travel" });
  vi.advanceTimersByTime(85_000);
  server.handlers["agentkeys.cap.mint"] = broken["HTTP 502 from a proxy"] as Handler;
  expect(await live.memory.get({ namespace: "travel" })).toEqual(note);
  await vi.waitFor(() => expect(server.names().at(-1)).toBe("agentkeys.memory.get"));
  server.handlers["agentkeys.cap.mint"] = mint;
  news();
  await vi.waitFor(async () => {
    await live.memory.get({ namespace: "travel" });
    expect(news()).toContain("memory.get nonce-2");
  });
});

test("told that it expired, it mints once more and no further", async () => {
  const { client, news, server } = await scene();
  let refusals = 1;
  server.handlers["agentkeys.memory.get"] = () => {
    if (refusals-- > 0) {
      throw new RpcProblem(
        -32000,
        "memory_get failed: backend HTTP error (403): cap expired: cap_id=x",
      );
    }
    return note;
  };
  await using live = await session(client);
  expect(await live.memory.get({ namespace: "travel" })).toEqual(note);
  expect(news()).toEqual([
    "cap.mint memory_get memory:travel 300",
    "memory.get nonce-1",
    "cap.mint memory_get memory:travel 300",
    "memory.get nonce-2",
  ]);
  refusals = 2;
  await expect(live.memory.get({ namespace: "travel" })).rejects.toMatchObject({
    code: "cap_expired",
  });
});

test("a mint that is refused rejects the call, and the next tries again", async () => {
  const { client, server } = await scene();
  const mint = server.handlers["agentkeys.cap.mint"] as Handler;
  const refusal =
    'backend HTTP error (403): {"error":"requested service is not in agent\'s scope","reason":"service_not_in_scope"}';
  server.handlers["agentkeys.cap.mint"] = () => {
    throw new RpcProblem(-32000, refusal);
  };
  await using live = await session(client);
  await expect(live.memory.get({ namespace: "travel" })).rejects.toMatchObject({
    code: "scope_denied",
    message: refusal,
  });
  server.handlers["agentkeys.cap.mint"] = mint;
  expect(await live.memory.get({ namespace: "travel" })).toEqual(note);
});

test.each(["memory", "cred"] as const)(
  "closing never throws, and catches what is being minted (%s)",
  async (what) => {
    const { client, server, news } = await scene();
    const mint = server.handlers["agentkeys.cap.mint"] as Handler;
    server.handlers["agentkeys.cap.mint"] = async (asked, response) => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      return mint(asked, response);
    };
    const live = await session(client);
    const call: Promise<unknown> =
      what === "memory"
        ? live.memory.get({ namespace: "travel" })
        : live.cred.fetch({ service: "openrouter" });
    await vi.waitFor(() => expect(server.names()).toContain("agentkeys.cap.mint"));
    await live.close();
    await call.catch(() => {});
    expect(news()).toContain("cap.revoke nonce-1");
    const next = await session(client);
    await next.memory.get({ namespace: "travel" });
    server.handlers["agentkeys.cap.revoke"] = broken["a page"] as Handler;
    await next.close();
  },
);

test.each([0, -5, Number.NaN])("a lifetime of %d seconds is refused", async (ttl) => {
  await using client = createClient(identity);
  await expect(client.session({ ttl })).rejects.toMatchObject({ code: "config_invalid" });
});

test("what has not minted yet when it closes never does", async () => {
  const { client, server, news } = await scene();
  server.handlers["guard/begin"] = async (asked, response) => {
    await new Promise((resolve) => setTimeout(resolve, 50));
    return ours(asked, response);
  };
  const live = await client.session();
  const call = live.cred.fetch({ service: "openrouter" });
  await vi.waitFor(() => expect(server.names()).toContain("guard/begin"));
  await live.close();
  await expect(call).rejects.toMatchObject({ code: "invalid_request" });
  expect(news()).toEqual([]);
});

test("the session's signal and the call's both end a call", async () => {
  const { client, server } = await scene();
  server.handlers["agentkeys.memory.get"] = broken["hang"] as Handler;
  for (const own of [true, false]) {
    const ending = new AbortController();
    const reason = new Error("stop");
    const other = new AbortController();
    const live = await session(client, { signal: own ? ending.signal : other.signal });
    const call = live.memory.get(
      { namespace: "travel" },
      { signal: own ? other.signal : ending.signal },
    );
    const before = server.names().length;
    await vi.waitFor(() => expect(server.names().length).toBeGreaterThan(before));
    ending.abort(reason);
    await expect(call).rejects.toBe(reason);
    await live.close();
  }
});
