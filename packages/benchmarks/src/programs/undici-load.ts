// Sends one exchange again and again for some seconds; prints what the clients saw.
import { randomUUID } from "node:crypto";
import { Pool } from "undici";
import { unique } from "../exchanges.ts";
import type { Answered, Load } from "../load.ts";
import { quantile } from "../spread.ts";

/** Requests that follow one another on a connection without waiting: what undici is quickest with. */
const pipelining = 16;

const { url, exchange, clients, seconds } = JSON.parse(process.argv[2] ?? "") as Load;
const { origin, pathname, search } = new URL(url);
const { headers, body } = exchange;
const path = pathname + search;
const pool = new Pool(origin, { connections: Math.ceil(clients / pipelining), pipelining });
const durations: number[] = [];
const start = performance.now();
const end = start + seconds * 1000;

/** Ids grow with time, as our client's do. */
function newId(): string {
  const time = Date.now().toString(16).padStart(12, "0");
  return `${time.slice(0, 8)}-${time.slice(8)}-7${randomUUID().slice(15)}`;
}

async function client(): Promise<void> {
  while (performance.now() < end) {
    const at = performance.now();
    const ready = body.replace(unique, newId);
    const answer = await pool.request({ path, method: "POST", headers, body: ready });
    await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`${url} answered ${answer.statusCode}`);
    durations.push((performance.now() - at) * 1000);
  }
}

await Promise.all(Array.from({ length: clients }, client));
const perSecond = (durations.length * 1000) / (performance.now() - start);
await pool.close();
const seen: Answered = { perSecond, p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) };
process.stdout.write(JSON.stringify(seen));
