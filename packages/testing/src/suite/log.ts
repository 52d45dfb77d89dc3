import type { Client, Fetch } from "@agentkeys/core";

/** One durable record, decoded. */
export interface LogRow {
  seq: number;
  envelope_hash: string;
  op_kind: number;
  result: number;
  op_body: Record<string, unknown>;
}

interface StreamEvent {
  seq: number;
  envelope_hash: string;
  envelope: { op_kind: number; result: number; op_body: Record<string, unknown> };
}

/** Everything written so far, read from the authority's own feed up to a marker that is appended now. */
export async function readLog(
  fetch: Fetch,
  operatorToken: string,
  client: Client,
): Promise<LogRow[]> {
  const marker = await client.audit.append({ event: { op_kind: 250, result: 0 } });
  const stop = new AbortController();
  const response = await fetch("http://authority/v1/audit/stream?after=0", {
    headers: { authorization: `Bearer ${operatorToken}` },
    signal: stop.signal,
  });
  if (response.body === null) throw new Error(`no feed: ${response.status}`);
  const rows: LogRow[] = [];
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  try {
    for (let text = ""; ;) {
      const { done, value } = await reader.read();
      if (done) throw new Error("the feed ended before the marker");
      text += value;
      const events = text.split("\n\n");
      text = events.pop() ?? "";
      for (const event of events) {
        const data = event.split("\n").find((line) => line.startsWith("data:"));
        if (data === undefined) continue;
        const { seq, envelope_hash, envelope } = JSON.parse(data.slice(5)) as StreamEvent;
        if (envelope_hash === marker.envelope_hash) return rows;
        if (envelope.op_kind !== 250) {
          const { op_kind, result, op_body } = envelope;
          rows.push({ seq, envelope_hash, op_kind, result, op_body });
        }
      }
    }
  } finally {
    stop.abort();
    await reader.cancel().catch(() => undefined);
  }
}

export const intents = (rows: readonly LogRow[]): LogRow[] =>
  rows.filter(({ op_kind }) => op_kind === 240);
export const outcomes = (rows: readonly LogRow[]): LogRow[] =>
  rows.filter(({ op_kind }) => op_kind === 110);
