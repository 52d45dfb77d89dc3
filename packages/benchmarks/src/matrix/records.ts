import type { Client, Fetch } from "@agentkeys/core";

/** What the authority wrote about guarded calls. */
export interface Recorded {
  readonly kind: "intent" | "outcome";
  readonly hash: string;
  readonly tool: unknown;
  /** Of an intent: nothing may run. */
  readonly refused: boolean;
  /** Of an outcome: hash of its intent. */
  readonly of: unknown;
}

interface Event {
  readonly envelope_hash: string;
  readonly envelope: {
    readonly op_kind: number;
    readonly result: number;
    readonly op_body: Readonly<Record<string, unknown>>;
  };
}

/** Every record so far, read from the authority's own feed up to a mark that is written now. */
export async function readRecords(
  fetch: Fetch,
  token: string,
  client: Client,
): Promise<Recorded[]> {
  const mark = await client.audit.append({ event: { op_kind: 250, result: 0 } });
  const records: Recorded[] = [];
  for await (const { envelope_hash: hash, envelope } of eventsOf(fetch, token)) {
    if (hash === mark.envelope_hash) break;
    const { op_kind, result, op_body } = envelope;
    const { tool, intent: of } = op_body;
    if (op_kind === 240) records.push({ kind: "intent", hash, tool, refused: result !== 0, of });
    if (op_kind === 110) records.push({ kind: "outcome", hash, tool, refused: false, of });
  }
  return records;
}

async function* eventsOf(fetch: Fetch, token: string): AsyncGenerator<Event> {
  const stop = new AbortController();
  const headers = { authorization: `Bearer ${token}` };
  const url = "http://authority/v1/audit/stream?after=0";
  const { body } = await fetch(url, { headers, signal: stop.signal });
  if (body === null) throw new Error("the authority has no feed");
  try {
    let text = "";
    for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
      const parts = (text + chunk).split("\n\n");
      text = parts.pop() ?? "";
      for (const part of parts) {
        const data = /^data: ?(.*)$/m.exec(part)?.[1];
        if (data !== undefined) yield JSON.parse(data) as Event;
      }
    }
  } finally {
    stop.abort();
  }
}
