import { appendFileSync } from "node:fs";
import { createClient } from "../src/client/client.ts";
import { createGuard } from "../src/guard/guard.ts";
import type { Order, Told } from "./processes.ts";
import { tools } from "./shop.ts";
import { identity } from "./stand-in.ts";

/** An agent's process: does what it is told, under a guard, and leaves a line in a file for each effect. */
const [url = "", effects = ""] = process.argv.slice(2);
const guard = createGuard({ client: createClient({ url, ...identity }), tools });
const suspended = new Error("suspended");

async function attempt({ call, seam, ends }: Extract<Order, { what: "attempt" }>): Promise<string> {
  if (seam) await guard.decide(call);
  const execute = (): string => {
    // Suspending comes before any effect; who throws or dies has had it.
    if (ends === "suspends") throw suspended;
    appendFileSync(effects, `${call.runKey} ${call.callId}\n`);
    if (ends === "dies") process.kill(process.pid, "SIGKILL");
    if (ends === "throws") throw new Error("kitchen");
    return "done";
  };
  const said = await guard.run(call, execute, {
    suspend: () => {
      throw suspended;
    },
    outcome: (settled) =>
      "error" in settled && settled.error === suspended ? "suspended" : undefined,
  });
  return said.status === "ran" ? "ran" : said.reason;
}

async function obey(order: Order): Promise<string> {
  if (order.what === "attempt") return attempt(order);
  await guard.withdraw(order.call);
  return "withdrawn";
}

process.on("message", ({ id, order }: Told) => {
  void obey(order)
    .catch((error: unknown) => (error as Error).message)
    .then((said) => process.send?.({ id, said }));
});
process.on("disconnect", () => process.exit());
process.send?.("ready");
