import { encodeEnvelope, envelopeHash } from "@agentkeys/contract";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { Begun, GuardOutcome, Store } from "./store.ts";
import {
  actor,
  otherActor,
  record,
  guardCall,
  wholeLog,
  keep,
  type Fresh,
} from "./store-samples.suite.ts";

export function guardTests(fresh: Fresh): void {
  const intent = record("intent");
  const intentHash = envelopeHash(encodeEnvelope(intent));
  const outcome = (word: GuardOutcome) => record(word, 110);
  const end = (store: Store, word: GuardOutcome, who = actor) =>
    store.end({ begin_id: "b1", actor: who, outcome: word }, () => outcome(word));

  test("a begin is written once and answered again", async () => {
    const store = await fresh();
    const row = guardCall("b1", { run_key: "thread-1" });
    const again = { kind: "repeated", row, envelope_hash: intentHash };
    const both = await Promise.all([store.begin(row, intent), store.begin(row, intent)]);
    expect(both).toEqual([{ kind: "begun", entry: (await wholeLog(store))[0] }, again]);
    expect(await store.begin({ ...row, answer: "other" }, record("other"))).toEqual(again);
    const conflict = { kind: "conflict" };
    expect(await store.begin({ ...row, request_digest: "d2" }, intent)).toEqual(conflict);
    expect(await store.begin({ ...row, actor: otherActor }, intent)).toEqual(conflict);
    expect((await wholeLog(store)).length).toBe(1);
  });

  test("only the actor that began sees its call", async () => {
    const store = await fresh();
    const row = guardCall("b1");
    await store.begin(row, intent);
    expect(await store.guardCall("b1", actor)).toEqual({ row, envelope_hash: intentHash });
    expect(await store.guardCall("b1", otherActor)).toBeUndefined();
    expect(await store.guardCall("b2", actor)).toBeUndefined();
    expect(await end(store, "ok", otherActor)).toEqual({ kind: "unknown" });
  });

  test("an outcome is final", async () => {
    const store = await fresh();
    await store.begin(guardCall("b1"), intent);
    const first = await end(store, "error");
    expect(first).toEqual({ kind: "ended", entry: (await wholeLog(store))[1] });
    const hash = envelopeHash(encodeEnvelope(outcome("error")));
    expect(await end(store, "error")).toEqual({ kind: "repeated", envelope_hash: hash });
    expect(await end(store, "ok")).toEqual({ kind: "conflict" });
    expect(await end(store, "suspended")).toEqual({ kind: "conflict" });
    expect((await wholeLog(store)).length).toBe(2);
  });

  test("a refused call has no outcome", async () => {
    const store = await fresh();
    await store.begin(guardCall("b1", { verdict: "deny" }), intent);
    expect(await end(store, "ok")).toEqual({ kind: "refused" });
    expect(await end(store, "ok", otherActor)).toEqual({ kind: "unknown" });
    expect((await wholeLog(store)).length).toBe(1);
  });

  test("an outcome is made of its begin", async () => {
    const store = await fresh();
    const row = guardCall("b1");
    await store.begin(row, intent);
    const named = ({ row: { tool }, envelope_hash }: Begun) => record({ tool, envelope_hash }, 110);
    await store.end({ begin_id: "b1", actor, outcome: "ok" }, named);
    const bytes = (await wholeLog(store))[1]?.bytes;
    expect(bytes).toEqual(encodeEnvelope(named({ row, envelope_hash: intentHash })));
  });

  test("a suspended call ends later, once", async () => {
    const store = await fresh();
    await store.begin(guardCall("b1"), intent);
    const words = ["suspended", "suspended", "ok", "ok", "suspended"] as const;
    const kinds = await Promise.all(words.map(async (word) => (await end(store, word)).kind));
    expect(kinds).toEqual(["ended", "repeated", "ended", "repeated", "conflict"]);
    expect((await wholeLog(store)).length).toBe(3);
  });

  test("an end that came first denies its begin, for an hour at least", async () => {
    let now = 1_000_000;
    const store = await fresh(() => now);
    const begin = (id: string) => store.begin(guardCall(id), intent);
    expect(await store.endBeforeBegin("b1", actor)).toBe("noted");
    expect(await store.endBeforeBegin("b1", actor)).toBe("noted");
    expect(await store.guardCall("b1", actor)).toBeUndefined();
    expect(await end(store, "not_run")).toEqual({ kind: "unknown" });
    now += 3_600_000;
    await store.endBeforeBegin("b2", actor);
    expect(await begin("b1")).toEqual({ kind: "ended_before" });
    expect(await wholeLog(store)).toEqual([]);
    now += 1;
    await store.endBeforeBegin("b3", actor);
    expect(await begin("b2")).toEqual({ kind: "ended_before" });
    expect((await begin("b1")).kind).toBe("begun");
  });

  test("another actor's early end neither denies nor reveals a begin", async () => {
    const store = await fresh();
    await store.begin(guardCall("b1"), intent);
    expect(await store.endBeforeBegin("b1", otherActor)).toBe("noted");
    expect(await store.endBeforeBegin("b1", actor)).toBe("begun");
    expect((await end(store, "ok")).kind).toBe("ended");
  });
}

type GuardStep =
  | { readonly do: "begin"; readonly id: string; readonly digest: string; readonly by: string }
  | { readonly do: "end"; readonly id: string; readonly outcome: GuardOutcome; readonly by: string }
  | { readonly do: "note"; readonly id: string; readonly by: string };

/** The port's rules in a dozen lines. `undefined` as digest: an end came first. */
function modelGuard() {
  const calls = new Map<
    string,
    { by: string; digest: string | undefined; outcome?: GuardOutcome }
  >();
  return (step: GuardStep): string => {
    const known = calls.get(step.id);
    const own = known?.by === step.by;
    if (step.do === "begin") {
      if (known === undefined) calls.set(step.id, { by: step.by, digest: step.digest });
      if (known === undefined) return "begun";
      if (own && known.digest === undefined) return "ended_before";
      return own && known.digest === step.digest ? "repeated" : "conflict";
    }
    if (step.do === "note") {
      if (known === undefined) calls.set(step.id, { by: step.by, digest: undefined });
      return own && known.digest !== undefined ? "begun" : "noted";
    }
    if (!own || known.digest === undefined) return "unknown";
    if (known.outcome === step.outcome) return "repeated";
    if (known.outcome !== undefined && known.outcome !== "suspended") return "conflict";
    known.outcome = step.outcome;
    return "ended";
  };
}

export function guardModelTests(fresh: Fresh): void {
  const id = fc.constantFrom("b1", "b2");
  const by = fc.constantFrom(actor, actor, otherActor);
  const word = fc.constantFrom<GuardOutcome>("ok", "suspended", "not_run");
  const step = fc.oneof(
    fc.record({ do: fc.constant("begin" as const), id, by, digest: fc.constantFrom("d1", "d2") }),
    fc.record({ do: fc.constant("end" as const), id, by, outcome: word }),
    fc.record({ do: fc.constant("note" as const), id, by }),
  );
  const run = async (store: Store, s: GuardStep): Promise<string> => {
    if (s.do === "note") return store.endBeforeBegin(s.id, s.by);
    if (s.do === "begin") {
      const row = guardCall(s.id, { actor: s.by, request_digest: s.digest });
      const intent = { ...record("intent"), actor_omni: s.by };
      return (await store.begin(row, intent)).kind;
    }
    return (
      await store.end({ begin_id: s.id, actor: s.by, outcome: s.outcome }, () =>
        record(s.outcome, 110),
      )
    ).kind;
  };

  test("answers are those of one after another, in the order of asking", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(step, fc.boolean()), { maxLength: 16 }), async (steps) => {
        const store = await fresh();
        const model = modelGuard();
        const answers: Promise<string>[] = [];
        for (const [s, wait] of steps) {
          const answer = keep(answers, run(store, s));
          if (wait) await answer;
        }
        const expected = steps.map(([s]) => model(s));
        expect(await Promise.all(answers)).toEqual(expected);
        const written = expected.filter(
          (answer, i) => answer === "ended" || (answer === "begun" && steps[i]?.[0].do === "begin"),
        );
        expect((await wholeLog(store)).map((entry) => entry.seq)).toEqual(
          written.map((_, i) => i + 1),
        );
      }),
      { numRuns: 40 },
    );
  });
}
