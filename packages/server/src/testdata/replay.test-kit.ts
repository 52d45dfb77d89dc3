import { decodeEnvelope, envelopeHash } from "@agentkeys/contract";
import { request } from "undici";
import type { Json, JsonMap, Step } from "./exchanges.test-kit.ts";
import { at, fill } from "./exchanges.test-kit.ts";
import { match } from "./match.test-kit.ts";
import type { Served } from "./process.test-kit.ts";

export type Vars = Record<string, Json>;

/** Sends what was recorded and compares what comes back; throws an Error that says what differs. Saves into `vars`. */
export async function replay(server: Served, step: Step, vars: Vars): Promise<void> {
  if (step.stdio === undefined) return replayHttp(server, step, vars);
  match(fill(step.lines ?? [], vars), await sendLines(server, fill(step.stdio, vars)));
}

interface Got {
  readonly bytes: Buffer;
  readonly text: string;
  readonly json: Json | undefined;
}

async function replayHttp(server: Served, step: Step, vars: Vars): Promise<void> {
  const { http, expect: expected } = step;
  if (http === undefined || expected === undefined) throw new Error("neither HTTP nor lines");
  const { method, path, headers, body, raw } = filled(http, vars);
  const sent = raw ?? (body === undefined ? undefined : JSON.stringify(body));
  const type = sent === undefined ? {} : { "content-type": "application/json" };
  const answer = await request(server.base + path, {
    method: method as "GET",
    headers: { ...type, ...headers },
    body: sent ?? null,
  });
  const bytes = Buffer.from(await answer.body.arrayBuffer());
  const got = { bytes, text: bytes.toString(), json: parsed(bytes.toString()) };
  same(answer.statusCode, expected.status, got.text);
  compare(filled(expected, vars), got, (body as JsonMap | undefined)?.["id"]);
  for (const [name, pointer] of Object.entries(step.save ?? {})) {
    vars[name] = at(got.json, pointer) ?? null;
  }
  for (const check of step.check ?? []) lookDeeper(check, got, vars);
}

function filled<T>(value: T, vars: Vars): T {
  return fill(value as Json, vars) as T;
}

function compare(expected: NonNullable<Step["expect"]>, got: Got, id: Json | undefined): void {
  const { json, partial, text, bodyHex } = expected;
  if (json !== undefined) match(json, got.json, { id });
  if (partial !== undefined) match(partial, got.json, { id, partial: true });
  if (text !== undefined) same(got.text, text);
  if (bodyHex !== undefined) same(got.bytes.toString("hex"), bodyHex);
}

function lookDeeper(check: NonNullable<Step["check"]>[number], { bytes, json }: Got, vars: Vars): void {
  const { diff, differs, bodyKeccak, cborTs } = check;
  if (diff) same(Number(at(json, diff[0])) - Number(at(json, diff[1])), diff[2]);
  if (differs && at(json, differs[0]) === vars[differs[1]]) throw new Error("the same value twice");
  if (bodyKeccak) same(envelopeHash(bytes), vars[bodyKeccak]);
  if (cborTs) {
    const age = Math.abs(Date.now() / 1000 - decodeEnvelope(bytes).ts_unix);
    if (age > cborTs) throw new Error(`${age} seconds from now`);
  }
}

function same(got: unknown, wanted: unknown, context = ""): void {
  if (got !== wanted) throw new Error(`got ${String(got)}, wanted ${String(wanted)} ${context}`);
}

function parsed(text: string): Json | undefined {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return undefined;
  }
}

/** Sends lines and a last ping; everything that comes before its answer came for them. */
async function sendLines(server: Served, lines: readonly string[]): Promise<Json[]> {
  const end = JSON.stringify({ jsonrpc: "2.0", id: "end", method: "ping" });
  const got: Json[] = [];
  server.child.stdin?.write(`${[...lines, end].join("\n")}\n`);
  for (;;) {
    const answer = JSON.parse(await server.nextLine()) as JsonMap;
    if (answer["id"] === "end") return got;
    got.push(answer);
  }
}
