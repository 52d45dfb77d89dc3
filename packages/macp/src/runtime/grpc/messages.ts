import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";

/** Before each message: whether it is compressed, and its length. */
const prefixSize = 5;

/** Cuts a body into messages. */
export class MessageReader {
  readonly #limit: number;
  readonly #parts: Buffer[] = [];
  #held = 0;
  #needed = prefixSize;

  /** Most bytes of a message. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Nothing is left of a message that has begun. */
  get empty(): boolean {
    return this.#held === 0;
  }

  push(part: Buffer): void {
    this.#parts.push(part);
    this.#held += part.length;
  }

  /** Undefined while no message is whole. Throws what the call fails with. */
  next(): Buffer | undefined {
    if (this.#held < this.#needed) return undefined;
    const [first = Buffer.alloc(0)] = this.#parts;
    // Joined only when enough is there: a message in small parts would be copied again and again.
    const bytes = this.#parts.length === 1 ? first : Buffer.concat(this.#parts);
    const size = this.#sizeOf(bytes);
    const end = prefixSize + size;
    this.#parts.length = 0;
    if (bytes.length < end) {
      this.#parts.push(bytes);
      this.#needed = end;
      return undefined;
    }
    this.#needed = prefixSize;
    this.#held = bytes.length - end;
    if (this.#held > 0) this.#parts.push(bytes.subarray(end));
    return bytes.subarray(prefixSize, end);
  }

  #sizeOf(bytes: Buffer): number {
    if (bytes[0] !== 0) {
      throw failure("INTERNAL", "a message is marked as compressed, and no encoding was agreed on");
    }
    const size = bytes.readUInt32BE(1);
    if (size <= this.#limit) return size;
    const text = `the message is too large: ${size} bytes, the limit is ${this.#limit}`;
    throw failure("OUT_OF_RANGE", text);
  }
}

/** The message with what stands before it. */
export function toMessageBytes(message: Uint8Array): Buffer {
  const bytes = Buffer.allocUnsafe(prefixSize + message.length);
  bytes[0] = 0;
  bytes.writeUInt32BE(message.length, 1);
  bytes.set(message, prefixSize);
  return bytes;
}

function failure(status: "INTERNAL" | "OUT_OF_RANGE", message: string): Error {
  return statusError({ status: grpcStatus[status], message });
}
