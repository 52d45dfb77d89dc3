import { direct, type Direct } from "@agentkeys/contract";
import { type Authority, createAuthority } from "@agentkeys/server";
import fc from "fast-check";
import { afterAll, expect, test } from "vitest";
import { actor, identity, operator as operatorOmni } from "../test/stand-in.ts";
import { createClient } from "./client.ts";
import type { Fetch } from "./client-surface.ts";
import { createGuard } from "./guard.ts";
import type { Guard } from "./guard-surface.ts";
import { createOperator } from "./operator.ts";

const env = { VENDOR: identity.token, OPERATOR: "operator-token" };
const config = {
  vendors: { shop: { token: "env:VENDOR" } },
  operators: { [operatorOmni]: { token: "env:OPERATOR" } },
  actors: {
    [actor]: {
      operator: operatorOmni,
      vendor: "shop",
      scopes: { "mail.send": "ask", "web.search": "allow" },
    },
  },
} as const;

const authority: Authority = await createAuthority({ data: ":memory:", config, env });
const operator = createOperator({ fetch: authority.fetch, token: env.OPERATOR });
const clients: { close(): Promise<void> }[] = [operator];

afterAll(async () => {
  for (const client of clients) await client.close();
  await authority.close();
});

const tools = { mail: { scope: "mail.send" }, search: { scope: "web.search" } };

/** A process of its own, which may lose the last word of what it ran: a crash between effect and outcome. */
function processOf(loses: boolean): Guard {
  const whole = (authority.fetch as { [direct]?: Direct })[direct];
  if (whole === undefined) throw new Error("not embedded");
  const call: Direct["call"] = (asked) => {
    const lost = loses && asked.method === "guard/end" && asked.params["outcome"] === "ok";
    if (!lost) return whole.call(asked);
    return Promise.resolve({ error: { code: -32000, message: "the process is gone" } });
  };
  const fetch: Fetch = (url, init) => authority.fetch(url, init);
  const client = createClient({
    ...identity,
    fetch: Object.assign(fetch, { [direct]: { post: whole.post, call } }),
  });
  clients.push(client);
  return createGuard({ client, tools });
}

const guards = [processOf(false), processOf(false), processOf(true)];
const suspended = new Error("suspended");

const attempting = fc.record({
  what: fc.constant("attempt" as const),
  process: fc.nat({ max: guards.length - 1 }),
  call: fc.nat({ max: 2 }),
  /** How often at the same moment. */
  times: fc.integer({ min: 1, max: 3 }),
  seam: fc.boolean(),
  ends: fc.constantFrom("ok", "ok", "throws", "suspends"),
});
const deciding = fc.record({
  what: fc.constantFrom(
    "approve" as const,
    "approve" as const,
    "deny" as const,
    "withdraw" as const,
  ),
  call: fc.nat({ max: 2 }),
  times: fc.integer({ min: 1, max: 2 }),
});
const waveOf = <T>(step: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(step, { minLength: 1, maxLength: 4 });
/** Asked, decided, resumed, in this order at first; then as it comes. */
const waves = fc
  .tuple(
    waveOf(attempting),
    waveOf(deciding),
    waveOf(attempting),
    fc.array(waveOf(fc.oneof(attempting, deciding)), { maxLength: 4 }),
  )
  .map(([asks, decides, resumes, rest]) => [asks, decides, resumes, ...rest]);

let schedules = 0;

test("whatever happens in whichever order: no effect without a yes, and none twice", async () => {
  const schedule = fc.record({
    tool: fc.constantFrom("mail" as const, "search" as const),
    waves,
  });
  await fc.assert(
    fc.asyncProperty(schedule, async ({ tool, waves: inTurn }) => {
      const runKey = `schedule-${++schedules}`;
      const effects = [0, 0, 0];
      const decided = ["", "", ""];
      const callOf = (n: number) => ({ tool, input: { n }, callId: `c${n}`, runKey });

      const attempt = async (guard: Guard, n: number, how: { seam: boolean; ends: string }) => {
        if (how.seam) await guard.decide(callOf(n));
        const execute = (): string => {
          // Suspending comes before any effect; what throws has had it.
          if (how.ends === "suspends") throw suspended;
          effects[n] = (effects[n] ?? 0) + 1;
          if (how.ends === "throws") throw new Error("kitchen");
          return "done";
        };
        const options = {
          suspend: () => {
            throw suspended;
          },
          outcome: (settled: object) =>
            "error" in settled && settled.error === suspended ? ("suspended" as const) : undefined,
        };
        return guard.run(callOf(n), execute, options).catch((error: unknown) => error);
      };
      const decide = async (what: "approve" | "deny", n: number): Promise<void> => {
        const filter = { status: "pending", runKey, callId: `c${n}` } as const;
        for (const approval of await operator.approvals.list(filter)) {
          const done = operator.approvals[what](approval, { reason: "r" });
          await done.then(
            () => (decided[n] = `${decided[n]} ${what}`),
            () => undefined,
          );
        }
      };
      for (const wave of inTurn) {
        await Promise.all(
          wave.flatMap((doing) =>
            Array.from({ length: doing.times }, () => {
              const { call } = doing;
              const guard = guards[doing.what === "attempt" ? doing.process : 0] as Guard;
              if (doing.what === "attempt") return attempt(guard, call, doing);
              return doing.what === "withdraw"
                ? guard.withdraw(callOf(call))
                : decide(doing.what, call);
            }),
          ),
        );
      }
      expect(effects.filter((count) => count > 1)).toEqual([]);
      const unasked = effects.filter((n, at) => n > 0 && !decided[at]?.includes("approve"));
      expect(tool === "mail" ? unasked : []).toEqual([]);
    }),
    { numRuns: 300 },
  );
});
