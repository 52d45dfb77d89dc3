import { afterAll, expect, test } from "vitest";
import { devAgent } from "../protocol/auth.ts";
import { createRuntime } from "../runtime/create-runtime.ts";
import { start } from "../runtime/testdata/messages.test-kit.ts";
import { createMacpClient } from "./client.ts";
import type { LogEntry } from "./log.ts";

const runtime = createRuntime();
const log: LogEntry[] = [];
const client = createMacpClient({
  runtime,
  auth: devAgent("alice"),
  retry: { baseMs: 1, maxMs: 1 },
  log: (entry) => log.push(entry),
});
afterAll(async () => {
  await client.close();
  await runtime.close();
});

/** More than a reader is ever kept waiting with, however quick this machine is. */
const signals = 6000;
const sessions = 900;

async function startSession(): Promise<string> {
  return (await client.send(start("decision"))).sessionId;
}

test("a reader of signals that falls behind gets what was kept, learns of the gap, and goes on", async () => {
  const events = client.watchSignals();
  for (let index = 0; index < signals; index++) await client.sendSignal({ type: `${index}` });
  const kept: string[] = [];
  for (let gap = false; !gap;) {
    const { value } = await events.next();
    if (value?.type === "signal") kept.push(value.signalType);
    gap = value?.type !== "signal";
  }
  expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => `${index}`));
  expect(kept.length).toBeLessThan(signals);
  const next = events.next();
  await client.sendSignal({ type: "after" });
  expect((await next).value).toMatchObject({ type: "signal", signalType: "after" });
  expect(log.at(-1)?.fields["name"]).toBe("watchSignals");
  await events.return();
});

test("a reader of sessions that falls behind misses none and is told of none twice", async () => {
  const events = client.watchSessions();
  const started: string[] = [];
  for (let index = 0; index < sessions; index++) started.push(await startSession());
  const ended = started.filter((_, index) => index % 2 === 0);
  for (const sessionId of ended) await client.cancelSession(sessionId, "enough");
  const last = await startSession();
  const told: string[] = [];
  const states = new Map<string, string>();
  for await (const { type, session } of events) {
    if (type === "CREATED") told.push(session.sessionId);
    states.set(session.sessionId, session.state);
    if (states.size === sessions + 1 && ended.every((id) => states.get(id) === "CANCELLED")) break;
  }
  expect(log.at(-1)?.fields["name"]).toBe("watchSessions");
  expect(told.toSorted()).toEqual([...started, last].toSorted());
});
