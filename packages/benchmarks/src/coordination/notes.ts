import {
  devAgent,
  encodeCorePayload,
  encodePayload,
  type MacpClient,
  modeTable,
  newSessionId,
  toEnvelope,
  toSessionStart,
} from "@agentkeys/macp";

/** Who sends everything. */
export const sender = devAgent("alice");

/** A mode without rules: what is left is the runtime itself. Its messages change nothing that grows. */
const noteMode = "ext.bench.v1";
/** Bytes; about what a message of a real mode has. */
const note = new Uint8Array(120);

const ttlMs = 3_600_000;

export async function registerNotes(client: MacpClient): Promise<void> {
  await client.registerExtMode({
    mode: noteMode,
    modeVersion: "1.0.0",
    messageTypes: ["Note", "Commitment"],
    terminalMessageTypes: ["Commitment"],
  });
}

/** Their ids. */
export async function startNotes(client: MacpClient, count: number): Promise<string[]> {
  return startIn(client, noteMode, { count, participants: [] });
}

export async function startDecisions(client: MacpClient, count: number): Promise<string[]> {
  const { mode } = modeTable.decision;
  const ids = await startIn(client, mode, { count, participants: ["alice", "bob"] });
  const payload = encodePayload("decision", "Proposal", { proposalId: "p", option: "x" });
  for (const sessionId of ids) {
    await client.send(toEnvelope({ mode, messageType: "Proposal", sessionId, payload }));
  }
  return ids;
}

async function startIn(
  client: MacpClient,
  mode: string,
  { count, participants }: { count: number; participants: string[] },
): Promise<string[]> {
  const ids = Array.from({ length: count }, newSessionId);
  const payload = encodeCorePayload("SessionStart", toSessionStart({ participants, ttlMs }));
  for (const sessionId of ids) {
    await client.send(toEnvelope({ mode, messageType: "SessionStart", sessionId, payload }));
  }
  return ids;
}

/** The next message into a session. */
export const noteTo = (sessionId: string) =>
  toEnvelope({ mode: noteMode, messageType: "Note", sessionId, payload: note });

export function evaluationTo(sessionId: string) {
  const opinion = { proposalId: "p", recommendation: "APPROVE", confidence: 0.9, reason: "fine" };
  const payload = encodePayload("decision", "Evaluation", opinion);
  const { mode } = modeTable.decision;
  return toEnvelope({ mode, messageType: "Evaluation", sessionId, payload });
}

/** A `Send` request on the wire, its message id being a mark `#` and 12 digits. */
export function sendRequestTo(sessionId: string): Uint8Array {
  const texts = ["1.0", noteMode, "Note", `#${"0".repeat(12)}`, sessionId];
  const envelope = [
    ...texts.map((text, index) => field(index + 1, Buffer.from(text))),
    field(8, note),
  ];
  return field(1, Buffer.concat(envelope));
}

/** One field of bytes, fewer than 16,384 of them. */
function field(number: number, bytes: Uint8Array): Buffer {
  const { length } = bytes;
  const size = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  return Buffer.concat([Buffer.of((number << 3) | 2, ...size), bytes]);
}
