// A runtime in this process, as fast as one caller can go: `macp-in-process SUBJECT COUNT DIRECTORY`. Prints what was seen.
import { join } from "node:path";
import { createMacpClient } from "@agentkeys/macp";
import { createRuntime, openSqliteStore } from "@agentkeys/macp/runtime";
import {
  evaluationTo,
  noteTo,
  registerNotes,
  sender,
  startDecisions,
  startNotes,
} from "../coordination/notes.ts";
import type { Answered } from "../load.ts";
import { quantile } from "../spread.ts";

const [subject = "", size = "", directory = ""] = process.argv.slice(2);
const count = Number(size);
/** Messages of one session: decisions grow, and few have more opinions. */
const longest = 200;

/** Messages that are made beforehand, so that what is measured is their sending. */
const batch = 2000;

async function accepted(kind: "notes" | "evaluations"): Promise<Answered> {
  await using runtime = createRuntime();
  await using client = createMacpClient({ runtime, auth: sender });
  await registerNotes(client);
  const [start, to] = kind === "notes" ? [startNotes, noteTo] : [startDecisions, evaluationTo];
  const durations: number[] = [];
  const send = async () => {
    const ids = await start(client, batch / longest);
    const messages = Array.from({ length: batch }, (_, i) => to(ids[i % ids.length] ?? ""));
    let at = performance.now();
    for (const message of messages) {
      await client.send(message);
      const now = performance.now();
      durations.push((now - at) * 1000);
      at = now;
    }
  };
  // Warm first.
  for (let sent = 0; sent < 20_000; sent += batch) await send();
  durations.length = 0;
  for (let sent = 0; sent < count; sent += batch) await send();
  const total = durations.reduce((sum, duration) => sum + duration, 0);
  return {
    perSecond: (durations.length * 1e6) / total,
    p50: quantile(durations, 0.5),
    p99: quantile(durations, 0.99),
  };
}

/** How fast a runtime that starts takes its sessions from the disk. */
async function replayed(): Promise<Answered> {
  const open = () =>
    createRuntime({ store: openSqliteStore({ directory: join(directory, "log") }) });
  const sessions = Math.ceil(count / longest);
  {
    await using runtime = open();
    await using client = createMacpClient({ runtime, auth: sender });
    const ids = await startDecisions(client, sessions);
    for (let sent = 2 * sessions; sent < count; sent += batch) {
      const messages = Array.from({ length: Math.min(batch, count - sent) }, (_, i) =>
        evaluationTo(ids[(sent + i) % sessions] ?? ""),
      );
      await Promise.all(messages.map((message) => client.send(message)));
    }
  }
  const start = performance.now();
  await using runtime = open();
  const seconds = (performance.now() - start) / 1000;
  await using client = createMacpClient({ runtime, auth: sender });
  const { sessions: found } = await client.listSessionsPage();
  if (found.length !== sessions) throw new Error(`${found.length} sessions of ${sessions}`);
  const each = (seconds * 1e6) / count;
  return { perSecond: count / seconds, p50: each, p99: each };
}

const seen = subject === "replay" ? await replayed() : await accepted(subject as "notes");
process.stdout.write(JSON.stringify(seen));
