// Our client over gRPC, as fast as its callers can go: `macp-client TARGET SUBJECT CALLERS COUNT`. Prints what was seen.
import { createMacpClient } from "@agentkeys/macp/grpc";
import { evaluationTo, sender } from "../coordination/notes.ts";
import { quantile } from "../spread.ts";
import type { ClientAnswered } from "../sdks/measure-sdks.ts";

const [target = "", subject = "", callers = "", count = ""] = process.argv.slice(2);
/** Messages of one session: decisions grow, and few have more opinions. */
const longest = 200;
const durations: number[] = [];
const start = { intent: "bench", participants: ["alice", "bob"], ttlMs: 3_600_000 };

await using client = createMacpClient({ target, allowInsecure: true, auth: sender });

async function caller(calls: number): Promise<void> {
  for (let first = 0; first < calls; first += longest) {
    await using session = await client.decision.start(start);
    await session.propose("p", "x");
    for (let call = first; call < Math.min(first + longest, calls); call++) {
      const begun = performance.now();
      if (subject === "send") await client.send(evaluationTo(session.id));
      else await session.evaluate("p", "APPROVE", { confidence: 0.9, reason: "fine" });
      durations.push((performance.now() - begun) * 1000);
    }
  }
}

await caller(longest);
durations.length = 0;
const [begun, cpu] = [performance.now(), process.cpuUsage()];
const each = Number(count) / Number(callers);
await Promise.all(Array.from({ length: Number(callers) }, async () => caller(each)));
const seconds = (performance.now() - begun) / 1000;
const { user, system } = process.cpuUsage(cpu);
const seen: ClientAnswered = {
  perSecond: durations.length / seconds,
  p50: quantile(durations, 0.5),
  p99: quantile(durations, 0.99),
  cpu: (user + system) / durations.length,
};
process.stdout.write(JSON.stringify(seen));
