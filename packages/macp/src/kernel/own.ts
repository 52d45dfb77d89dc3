import type { Envelope } from "./envelope.ts";

/** Bytes that small payloads share. One that is kept keeps them all, so there are few. */
const slabSize = 16_384;
const sharedUpTo = 1024;
/** Words that are remembered at a time. */
const mostWords = 1024;

/**
 * Takes envelopes over: what is judged is what is stored and told, whatever becomes of the sender's object and its buffer. Small
 * payloads lie side by side and words that repeat are kept once: a buffer and five strings for each message were most of
 * what the garbage collector had to do.
 */
export function createOwner(): (envelope: Envelope) => Envelope {
  const words = new Map<string, string>();
  let slab = new Uint8Array(0);
  let used = 0;

  function known(word: string): string {
    const first = words.get(word);
    if (first !== undefined) return first;
    if (words.size >= mostWords) words.clear();
    words.set(word, word);
    return word;
  }

  function kept(bytes: Uint8Array): Uint8Array {
    if (bytes.length > sharedUpTo) return bytes.slice();
    if (used + bytes.length > slab.length) {
      slab = new Uint8Array(slabSize);
      used = 0;
    }
    const own = slab.subarray(used, used + bytes.length);
    own.set(bytes);
    used += bytes.length;
    return own;
  }

  return (envelope) => ({
    macpVersion: known(envelope.macpVersion),
    mode: known(envelope.mode),
    messageType: known(envelope.messageType),
    messageId: envelope.messageId,
    sessionId: known(envelope.sessionId),
    sender: known(envelope.sender),
    timestampUnixMs: envelope.timestampUnixMs,
    payload: kept(envelope.payload),
  });
}
