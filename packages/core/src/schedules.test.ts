import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { AgentProcess, AuthorityProcess, type Call, type Order } from "../test/processes.ts";
import { shop } from "../test/shop.ts";
import { createOperator, type Operator } from "./operator/operator.ts";

const agents = 3;
const attempting = fc.record({
  what: fc.constant("attempt" as const),
  agent: fc.nat({ max: agents - 1 }),
  call: fc.nat({ max: 2 }),
  /** How often at the same moment. */
  times: fc.integer({ min: 1, max: 3 }),
  seam: fc.boolean(),
  ends: fc.constantFrom("ok" as const, "ok" as const, "throws" as const, "suspends" as const),
});
const deciding = fc.record({
  what: fc.constantFrom(
    "approve" as const,
    "approve" as const,
    "deny" as const,
    "withdraw" as const,
  ),
  agent: fc.nat({ max: agents - 1 }),
  call: fc.nat({ max: 2 }),
  times: fc.integer({ min: 1, max: 2 }),
});
type Step =
  | (typeof attempting extends fc.Arbitrary<infer T> ? T : never)
  | (typeof deciding extends fc.Arbitrary<infer T> ? T : never);
const waveOf = <T>(step: fc.Arbitrary<T>): fc.Arbitrary<T[]> =>
  fc.array(step, { minLength: 1, maxLength: 4 });
/** Asked, decided, resumed, in this order at first; then as it comes. */
const waves = fc
  .tuple(
    waveOf(attempting),
    waveOf(deciding),
    waveOf(attempting),
    fc.array(waveOf(fc.oneof(attempting, deciding)), { maxLength: 3 }),
  )
  .map(([asks, decides, resumes, rest]): Step[][] => [asks, decides, resumes, ...rest]);
/** kill -9, from outside so many milliseconds into a wave, or between the effect and its record. */
const death = fc.record({
  wave: fc.nat({ max: 3 }),
  agent: fc.nat({ max: agents - 1 }),
  at: fc.oneof(fc.nat({ max: 6 }), fc.constant("effect" as const)),
});
const schedule = fc.record({
  tool: fc.constantFrom("mail" as const, "search" as const),
  waves,
  death: fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 60 },
    { arbitrary: death, weight: 1 },
  ),
});
type Schedule = typeof schedule extends fc.Arbitrary<infer T> ? T : never;

const data = mkdtempSync(join(tmpdir(), "agentkeys-schedules-"));
const effectsFile = join(data, "effects");
const authority = new AuthorityProcess(join(data, "authority"));
let processes: AgentProcess[] = [];
let operator: Operator;

beforeAll(async () => {
  writeFileSync(effectsFile, "");
  await authority.start();
  operator = createOperator({ url: authority.url, token: shop.env.OPERATOR });
  processes = Array.from({ length: agents }, () => new AgentProcess(authority.url, effectsFile));
}, 60_000);

afterAll(async () => {
  for (const one of processes) await one.close();
  await operator.close();
  await authority.kill();
  rmSync(data, { recursive: true, force: true });
});

let schedules = 0;

/** Plays one; gives the run's name and which calls somebody said yes to. */
async function play({ tool, waves: inTurn, death: dies }: Schedule) {
  const runKey = `schedule-${++schedules}`;
  const approved = new Set<string>();
  const callOf = (n: number): Call => ({ tool, input: { n }, callId: `c${n}`, runKey });
  const tell = (agent: number, order: Order) => (processes[agent] as AgentProcess).tell(order);

  const decide = async (what: "approve" | "deny", { callId }: Call): Promise<void> => {
    const filter = { status: "pending", runKey, callId } as const;
    for (const approval of await operator.approvals.list(filter)) {
      // Before it is known to have failed: an answer may be lost.
      if (what === "approve") approved.add(callId);
      await operator.approvals[what](approval, { reason: "r" });
    }
  };
  const go = (step: Step, dying: boolean): Promise<unknown> => {
    const call = callOf(step.call);
    if (step.what === "withdraw") return tell(step.agent, { what: "withdraw", call });
    // Decided twice, withdrawn meanwhile, or the authority is gone: others were first.
    if (step.what !== "attempt") return decide(step.what, call).catch(() => "refused");
    const { what, seam } = step;
    return tell(step.agent, { what, call, seam, ends: dying ? "dies" : step.ends });
  };
  for (const [at, wave] of inTurn.entries()) {
    const dead = dies?.wave === at ? dies : undefined;
    const all = wave.flatMap((step) =>
      Array.from({ length: step.times }, () =>
        go(step, dead?.at === "effect" && dead.agent === step.agent),
      ),
    );
    if (typeof dead?.at === "number") {
      await new Promise((resolve) => setTimeout(resolve, dead.at as number));
      await processes[dead.agent]?.kill();
    }
    await Promise.all(all);
  }
  return { runKey, tool, approved };
}

/** How often each call of each run has had its effect, since somebody last looked. */
function takeEffects(): Map<string, number> {
  const lines = readFileSync(effectsFile, "utf8").split("\n").slice(0, -1);
  writeFileSync(effectsFile, "");
  const counts = new Map<string, number>();
  for (const line of lines) counts.set(line, (counts.get(line) ?? 0) + 1);
  return counts;
}

/** Schedules at the same moment. */
const together = 25;
const rounds = 40;

test(
  "1,000 schedules over three processes and an authority, all killed now and then: no effect without a yes, and none twice",
  { timeout: 180_000 },
  async () => {
    let round = 0;
    let effects = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(schedule, { minLength: together, maxLength: together }),
        async (batch) => {
          const playing = Promise.all(batch.map(play));
          if (++round % 10 === 5) {
            await authority.kill();
            await authority.start();
          }
          const played = await playing;
          const counts = takeEffects();
          effects += counts.size;
          expect([...counts].filter(([, count]) => count > 1)).toEqual([]);
          const mails = played.filter(({ tool }) => tool === "mail");
          const unasked = mails.flatMap(({ runKey, approved }) =>
            [0, 1, 2]
              .map((n) => `c${n}`)
              .filter((callId) => counts.has(`${runKey} ${callId}`) && !approved.has(callId)),
          );
          expect(unasked).toEqual([]);
        },
      ),
      // Processes do not fall out the same way twice, so a smaller example would take long and tell little.
      { numRuns: rounds, endOnFailure: true },
    );
    // What never ran proves nothing, nor who never died.
    expect(effects).toBeGreaterThan(rounds);
    expect(processes.reduce((all, { deaths }) => all + deaths, 0)).toBeGreaterThan(0);
  },
);
