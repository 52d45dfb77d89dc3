import assert from "node:assert/strict";
import { decodeEnvelope, envelopeHash } from "@agentkeys/contract";
import { createParser } from "eventsource-parser";
import type { DemoAuthority } from "./authority.ts";

interface AuditEvent {
  seq: number;
  envelope_hash: string;
  envelope: { op_kind: number; result: number; op_body: Record<string, unknown> };
}

/** What the check found. */
export interface AuditSummary {
  records: number;
  allowed: number;
  refused: number;
}

const guardIntent = 240;
const toolResult = 110;

async function readUpTo(authority: DemoAuthority, lastCall: string): Promise<AuditEvent[]> {
  const response = await fetch(new URL("/v1/audit/stream?after=0", authority.url), {
    headers: { authorization: `Bearer ${authority.operatorToken}` },
  });
  assert.equal(response.status, 200);
  const events: AuditEvent[] = [];
  const parser = createParser({
    onEvent: ({ data }) => events.push(JSON.parse(data) as AuditEvent),
  });
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    parser.feed(decoder.decode(chunk, { stream: true }));
    const last = events.findIndex(({ envelope }) => envelope.op_body["call_id"] === lastCall);
    if (last >= 0) return events.slice(0, last + 1);
  }
  throw new Error("the feed ended early");
}

/** Fetches every envelope up to the intent of `lastCall`, hashes its bytes again, and pairs each intent with its outcome. */
export async function checkLog(authority: DemoAuthority, lastCall: string): Promise<AuditSummary> {
  const events = await readUpTo(authority, lastCall);
  events.forEach(({ seq }, i) => assert.equal(seq, i + 1, "no gap in the log"));
  for (const { envelope_hash: hash, envelope } of events) {
    const response = await fetch(new URL(`/v1/audit/envelope/${hash}`, authority.url), {
      headers: { authorization: `Bearer ${authority.operatorToken}` },
    });
    const bytes = new Uint8Array(await response.arrayBuffer());
    assert.equal(envelopeHash(bytes), hash, "the hash is that of the stored bytes");
    assert.equal(decodeEnvelope(bytes).op_kind, envelope.op_kind);
  }
  const of = (kind: number) => events.filter(({ envelope }) => envelope.op_kind === kind);
  const outcomes = of(toolResult).map(({ envelope }) => envelope.op_body["intent"]);
  for (const { envelope_hash: hash, envelope } of of(guardIntent)) {
    const paired = outcomes.filter((intent) => intent === hash).length;
    assert.equal(
      paired,
      envelope.result === 0 ? 1 : 0,
      "one outcome for what ran, none for what did not",
    );
  }
  const refused = of(guardIntent).filter(({ envelope }) => envelope.result === 2).length;
  return { records: events.length, allowed: of(guardIntent).length - refused, refused };
}
