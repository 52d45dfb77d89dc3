import fc from "fast-check";
import { expect, test } from "vitest";
import { openSqliteStore } from "../sqlite/sqlite-store.ts";
import type { Store } from "../store/store.ts";
import {
  type Answered,
  begin,
  call,
  decide,
  end,
  handClock,
} from "../testdata/approvals.test-kit.ts";
import { actor, type Harness, open } from "../testdata/harness.test-kit.ts";

const digests = [`0x${"d1".repeat(32)}`, `0x${"d2".repeat(32)}`];

/** The calls of a schedule: two runs and none, one call id, two inputs, one of them allowed without a question. */
const calls = [
  { run_key: "t1", input_digest: digests[0] },
  { run_key: "t1", input_digest: digests[1] },
  { run_key: "t2", input_digest: digests[0], params: { amount_rmb: 200 } },
  { input_digest: digests[0], run_key: undefined },
];

type Step =
  | { readonly do: "begin"; readonly call: number; readonly grant: boolean; readonly ask: boolean }
  | { readonly do: "approve" | "deny" | "withdraw"; readonly call: number }
  | { readonly do: "end"; readonly call: number; readonly outcome: string }
  | { readonly do: "pass"; readonly seconds: number }
  | { readonly do: "restart" };

const which = fc.constantFrom(0, 0, 1, 2, 3, 3);
const beginStep = fc.record({
  do: fc.constant("begin" as const),
  call: which,
  grant: fc.boolean(),
  ask: fc.constantFrom(true, true, true, false),
});
const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  { weight: 6, arbitrary: beginStep },
  {
    weight: 4,
    arbitrary: fc.record({
      do: fc.constantFrom(...(["approve", "approve", "approve", "deny", "withdraw"] as const)),
      call: which,
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant("end" as const),
      call: which,
      outcome: fc.constantFrom("ok", "error", "not_run", "suspended", "suspended"),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant("pass" as const),
      seconds: fc.constantFrom(1, 1, 300, 900),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "restart" as const }) },
);

/** Steps of one row are taken at the same moment. */
const schedules = fc.array(fc.array(stepArbitrary, { minLength: 1, maxLength: 4 }), {
  minLength: 5,
  maxLength: 25,
  size: "max",
});

interface Accept {
  readonly call: number;
  readonly begun: Answered;
  outcome: string | undefined;
}

/** One authority that is closed and opened again on the same store, and what its clients saw of it. */
class World {
  readonly accepts: Accept[] = [];
  readonly asked = new Map<string, { call: number; digest: string; expires_at: number }>();
  readonly decisions = new Map<string, string>();
  readonly #store: Store;
  readonly #hand = handClock();
  #harness: Harness;

  private constructor(store: Store, harness: Harness) {
    this.#store = store;
    this.#harness = harness;
  }

  close(): Promise<void> {
    return this.#store.close();
  }

  static async open(): Promise<World> {
    const store = await openSqliteStore({ data: ":memory:" });
    const world = new World(store, undefined as never);
    await world.#restart();
    return world;
  }

  async #restart(): Promise<void> {
    const store = { ...this.#store, close: async () => undefined };
    const env = { AGENTKEYS_MASTER_KEY: "11".repeat(32) };
    this.#harness = await open({ store, env, clock: this.#hand.clock });
  }

  get now(): number {
    return this.#hand.clock() / 1000;
  }

  records() {
    return this.#harness.records();
  }

  async begin(index: number, more: object = {}): Promise<Answered> {
    const begun = await begin(this.#harness, call({ ...calls[index], ...more }));
    const { approval, verdict } = begun;
    if (verdict === "accept" && begun.ticket !== "")
      this.accepts.push({ call: index, begun, outcome: undefined });
    if (verdict === "ask_parent" && approval !== undefined) {
      const { id, digest, expires_at } = approval;
      this.asked.set(id, { call: index, digest, expires_at });
    }
    return begun;
  }

  #latest(index: number) {
    const all = [...this.asked].filter(([, asked]) => asked.call === index);
    const [id = "apr_none", { digest = "" } = {}] = all.at(-1) ?? [];
    return { id, digest };
  }

  async take(step: Step): Promise<void> {
    switch (step.do) {
      case "begin": {
        const grant = step.grant ? { grant: this.#latest(step.call).id } : {};
        await this.begin(step.call, { ...grant, may_ask: step.ask });
        return;
      }
      case "approve":
      case "deny": {
        const approval = this.#latest(step.call);
        const { status } = await decide(this.#harness, step.do, approval);
        if (status === 200) this.decisions.set(approval.id, step.do);
        return;
      }
      case "withdraw": {
        const { id } = this.#latest(step.call);
        const { result } = await this.#harness.rpc("guard/withdraw", { actor, approval: id });
        const { status } = (result?.["approval"] ?? {}) as { status?: string };
        if (status === "withdrawn") this.decisions.set(id, status);
        return;
      }
      case "end": {
        const open1 = this.accepts.find(
          (accept) => accept.call === step.call && accept.outcome === undefined,
        );
        if (open1 === undefined) return;
        open1.outcome = step.outcome;
        await end(this.#harness, open1.begun, { outcome: step.outcome });
        return;
      }
      case "pass":
        return this.#hand.pass(step.seconds);
      case "restart":
        return this.#restart();
    }
  }
}

/** What ran, or may be running: neither ended before it began nor left off to be entered again. */
const ran = ({ outcome }: Accept) => outcome !== "not_run" && outcome !== "suspended";

/** What must never be seen of a call. */
function faults(world: World): string[] {
  const all = calls.flatMap(({ run_key, params }, index) => {
    const mine = world.accepts.filter((accept) => accept.call === index);
    const twice = run_key !== undefined && mine.filter(ran).length > 1;
    const baseless = mine.filter(({ begun }) =>
      params === undefined
        ? begun.reason !== "approved" || world.asked.get(begun.approval.id)?.call !== index
        : begun.reason !== "within_daily_cap",
    );
    return [
      ...(twice ? [`call ${index} ran twice`] : []),
      ...baseless.map(({ begun }) => `call ${index} ran on ${begun.reason}`),
    ];
  });
  const grants = [...usesOf(world)].flatMap(([id, uses]) => [
    ...(uses.filter(ran).length > 1 ? [`grant ${id} was used twice`] : []),
    ...(world.decisions.get(id) === "deny" ? [`denied ${id} was used`] : []),
  ]);
  return [...all, ...grants];
}

function usesOf(world: World): Map<string, Accept[]> {
  const uses = new Map<string, Accept[]>();
  for (const accept of world.accepts) {
    const id = accept.begun.approval?.id;
    if (id !== undefined) uses.set(id, [...(uses.get(id) ?? []), accept]);
  }
  return uses;
}

/** What a person allowed and nobody used can be used: gives the reasons of trying. */
async function useWhatIsLeft(world: World): Promise<string[]> {
  const used = usesOf(world);
  const reasons: string[] = [];
  for (const [id, { call: index, expires_at }] of world.asked) {
    const fresh = world.decisions.get(id) === "approve" && expires_at > world.now;
    const latest = [...world.asked].findLast(([, asked]) => asked.call === index)?.[0] === id;
    if (fresh && latest && !used.has(id)) reasons.push((await world.begin(index)).reason);
  }
  return reasons;
}

test("any schedule: a call runs once at most, and never without the policy or an unused grant", async () => {
  const seen = { granted: 0, refused: 0, again: 0, left: 0 };
  const alone = (step: Step) => step.do === "restart" || step.do === "pass";
  await fc.assert(
    fc.asyncProperty(schedules, async (rows) => {
      const world = await World.open();
      for (const row of rows) {
        await Promise.all(row.flatMap((step) => (alone(step) ? [] : [world.take(step)])));
        for (const step of row) if (alone(step)) await world.take(step);
      }
      expect(faults(world)).toEqual([]);
      const uses = [...usesOf(world).values()];
      const left = await useWhatIsLeft(world);
      expect(left.filter((reason) => reason !== "approved")).toEqual([]);
      const records = await world.records();
      const intents = records.filter(({ op, result }) => op === "guard.intent" && result === 0);
      expect(intents).toHaveLength(world.accepts.length);
      seen.granted += uses.length;
      seen.again += uses.filter(({ length }) => length > 1).length;
      seen.left += left.length;
      seen.refused += records.filter(({ body }) => body["verdict"] === "deny").length;
      await world.close();
    }),
    { numRuns: 150 },
  );
  // The schedules reach what they are for.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(5);
});
