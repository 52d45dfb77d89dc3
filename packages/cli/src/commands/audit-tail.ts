import { AgentKeysError } from "@agentkeys/core";
import { createParser } from "eventsource-parser";
import pc from "picocolors";
import { UsageError } from "../exit-code.ts";
import { interrupted } from "../listening.ts";
import { accessFromFlags, type OperatorFlags } from "../operator-from-flags.ts";
import { printable } from "../printable.ts";

interface TailFlags extends OperatorFlags {
  after: string;
  limit?: string;
}

interface AuditEvent {
  seq: number;
  envelope_hash: string;
  envelope: {
    ts_unix: number;
    actor_omni: string;
    op_kind: number;
    op: string;
    op_body: Record<string, unknown> | null;
    result: number;
    intent_text: string | null;
  };
}

/** How long an authority may take to open its stream, in milliseconds; once open it stays so without a limit. */
const openingMs = 5000;

const results = [pc.green("ok"), pc.yellow("failed"), pc.red("refused")];

/** One line for a person: when, what, how it ended, of whom. */
function lineOf({ seq, envelope }: AuditEvent): string {
  const { op_body: body } = envelope;
  const facts = ["tool", "scope", "verdict", "reason", "outcome", "key", "service"].flatMap((key) =>
    typeof body?.[key] === "string" ? [`${key}=${printable(body[key])}`] : [],
  );
  return [
    String(seq).padStart(6),
    new Date(envelope.ts_unix * 1000).toISOString(),
    printable(envelope.op).padEnd(20),
    results[envelope.result] ?? String(envelope.result),
    `${envelope.actor_omni.slice(0, 10)}…`,
    ...facts,
    ...(envelope.intent_text === null ? [] : [printable(JSON.stringify(envelope.intent_text))]),
  ].join("  ");
}

function countOf(name: string, text: string | undefined): number {
  if (text === undefined) return Number.POSITIVE_INFINITY;
  if (!/^\d+$/.test(text)) throw new UsageError(`--${name} ${text}: expected a whole number`);
  return Number(text);
}

async function open(
  flags: TailFlags,
  after: number,
  signal: AbortSignal,
): Promise<ReadableStream<Uint8Array>> {
  const { token, url: mcp } = accessFromFlags(flags);
  const url = new URL(`v1/audit/stream?after=${after}`, mcp);
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), openingMs);
  const response = await fetch(url, {
    headers: { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, late.signal]),
  })
    .catch((cause: unknown) => {
      throw new AgentKeysError("authority_unavailable", `no answer from ${url.origin}`, { cause });
    })
    .finally(() => clearTimeout(timer));
  if (!response.ok || response.body === null) {
    const text =
      response.status === 404 ? "the authority has no audit stream (surface v1?)" : "refused";
    throw new AgentKeysError("forbidden", `${url.origin}: ${text} (HTTP ${response.status})`);
  }
  return response.body;
}

export async function auditTail(flags: TailFlags): Promise<void> {
  let left = countOf("limit", flags.limit);
  const after = countOf("after", flags.after);
  const stop = new AbortController();
  const end = (): void => stop.abort();
  void interrupted().then(end);
  // A reader that has seen enough (`| head`) ends the command as its limit would.
  process.stdout.on("error", end);
  const parser = createParser({
    onEvent: ({ data }) => {
      if (left <= 0 || stop.signal.aborted) return;
      left -= 1;
      process.stdout.write(`${flags.json ? data : lineOf(JSON.parse(data) as AuditEvent)}\n`);
      if (left === 0) end();
    },
  });
  const decoder = new TextDecoder();
  try {
    const body = await open(flags, after, stop.signal);
    for await (const chunk of body) parser.feed(decoder.decode(chunk, { stream: true }));
  } catch (error) {
    if (!stop.signal.aborted) throw error;
  }
  if (!stop.signal.aborted) {
    throw new AgentKeysError("authority_unavailable", "the authority closed the stream");
  }
}
