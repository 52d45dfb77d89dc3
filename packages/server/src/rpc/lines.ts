import { isUtf8 } from "node:buffer";
import type { Readable } from "node:stream";

const LF = 0x0a;

/**
 * Lines of UTF-8 without their line break; undefined for one beyond `limit` bytes (of which no more than that is kept) or that is
 * not UTF-8. What follows the last break counts as a line unless it is empty.
 */
export async function* lines(input: Readable, limit = 1 << 20): AsyncGenerator<string | undefined> {
  let parts: Buffer[] = [];
  let size = 0;
  const take = (): string | undefined => {
    const line = size <= limit ? Buffer.concat(parts) : undefined;
    parts = [];
    size = 0;
    return line !== undefined && isUtf8(line) ? line.toString().replace(/\r$/, "") : undefined;
  };
  const keep = (part: Buffer) => {
    size += part.length;
    if (size <= limit) parts.push(part);
    else parts = [];
  };
  for await (const chunk of input as AsyncIterable<Buffer | string>) {
    let rest = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
    for (let end = rest.indexOf(LF); end >= 0; end = rest.indexOf(LF)) {
      keep(rest.subarray(0, end));
      yield take();
      rest = rest.subarray(end + 1);
    }
    keep(rest);
  }
  if (size > 0) yield take();
}
