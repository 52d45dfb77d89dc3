import { createClient, createGuard, createOperator } from "@agentkeys/core";
import type { Approval, Client, Fetch, Guard, GuardOptions, Operator } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { readRecords, type Recorded } from "./records.ts";

/** A side effect of a tool: what really ran. */
export interface Effect {
  readonly tool: string;
  readonly price: number;
}

/** The price for which the guard's own rule for `pay` throws. */
export const unlucky = 13;

/** One play's authority, guard and tools. What its tools do is counted. */
export interface Stage extends AsyncDisposable {
  readonly client: Client;
  /** Up to 400 `pay` runs, up to 500 it asks a person, above it is denied. `delegate` runs. */
  readonly guard: Guard;
  readonly operator: Operator;
  readonly effects: Effect[];
  /** Another guard with the same rows: a process of its own, or one that waits. */
  guardWith(options?: Pick<GuardOptions, "approval" | "onUncertain">): Guard;
  /** The body of the tool `pay`: governed as a payment. `tool`: the name that it goes by. */
  pay(input: { price: number }, tool?: string): string;
  /** A person says yes, or no, to the one thing that is asked, or to the payment of this price. Rejects where nothing is. */
  decide(outcome: "approve" | "deny", price?: number): Promise<void>;
  records(): Promise<Recorded[]>;
  /** From now on the guard's way to the authority leads through this. */
  through(around: (fetch: Fetch) => Fetch): void;
}

const actor = `0x${"a0".repeat(32)}`;
const operatorOmni = `0x${"07".repeat(32)}`;
const env = { VENDOR_TOKEN: "matrix-vendor-token", OPERATOR_TOKEN: "matrix-operator-token" };
const identity = {
  token: env.VENDOR_TOKEN,
  actor,
  operator: operatorOmni,
  deviceKeyHash: `0x${"de".repeat(32)}`,
};
const config = {
  vendors: { matrix: { token: "env:VENDOR_TOKEN" } },
  operators: { [operatorOmni]: { token: "env:OPERATOR_TOKEN" } },
  actors: {
    [actor]: {
      operator: operatorOmni,
      vendor: "matrix",
      namespaces: [],
      services: [],
      scopes: {
        "agents.delegate": "allow" as const,
        "payment.spend": { currency: "RMB", per_call: 500, ask_above: 400 },
      },
    },
  },
};

function paramsOf({ price }: { price: number }): { amount_rmb: number } {
  if (price === unlucky) throw new Error("kaput");
  return { amount_rmb: price };
}

/** `deadline`: milliseconds that a decision may take. */
export async function openStage(deadline: number): Promise<Stage> {
  const authority = await createAuthority({ data: ":memory:", config, env });
  const effects: Effect[] = [];
  let way: Fetch = authority.fetch;
  const open = new Set<Promise<unknown>>();
  const fetch: Fetch = (url, init) => {
    const answer = way(url, init);
    const forget = (): boolean => open.delete(answer);
    open.add(answer);
    answer.then(forget, forget);
    return answer;
  };
  /** What a run leaves behind (an abort, say) is written before the log is read. */
  const quiet = async (): Promise<void> => {
    for (let turns = 0; turns < 20; turns++) await new Promise((next) => setImmediate(next));
    await Promise.race([Promise.allSettled(open), new Promise((late) => setTimeout(late, 50))]);
    for (let turns = 0; turns < 20; turns++) await new Promise((next) => setImmediate(next));
  };
  const client = createClient({ ...identity, fetch, timeoutMs: deadline });
  const reader = createClient({ ...identity, fetch: authority.fetch });
  const operator = createOperator({ fetch: authority.fetch, token: env.OPERATOR_TOKEN });
  const guardWith: Stage["guardWith"] = (options) =>
    createGuard<{ pay: { price: number }; delegate: object }>({
      client,
      tools: {
        pay: { scope: "payment.spend", params: paramsOf },
        delegate: { scope: "agents.delegate" },
      },
      ...options,
    });
  return {
    client,
    guard: guardWith(),
    guardWith,
    operator,
    effects,
    pay: ({ price }, tool = "pay") => {
      effects.push({ tool, price });
      return `paid ${price}`;
    },
    async decide(outcome, price) {
      const asked = await operator.approvals.list({ status: "pending" });
      const of = (one: Approval): unknown => one.params["amount_rmb"];
      const approval = asked.find((one) => of(one) === (price ?? of(one)));
      if (approval === undefined) throw new Error("nothing is asked");
      await operator.approvals[outcome](approval, { reason: "the matrix" });
    },
    async records() {
      await quiet();
      return readRecords(authority.fetch, env.OPERATOR_TOKEN, reader);
    },
    through: (around) => (way = around(authority.fetch)),
    async [Symbol.asyncDispose]() {
      await client.close();
      await reader.close();
      await operator.close();
      await authority.close();
    },
  };
}
