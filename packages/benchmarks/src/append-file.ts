import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { Answered } from "./load.ts";
import { quantile } from "./spread.ts";

/** Bytes of one plain record; the authority's own rows are about as long. */
const recordBytes = 512;

export interface AppendFile extends Disposable {
  /** Appends `count` records and returns when the disk has them. */
  append(count?: number): void;
}

/** A file that grows: the least that any durable record costs here. */
export function openAppendFile(directory: string): AppendFile {
  const file = openSync(join(directory, "records"), "a");
  const records = new Map<number, Buffer>();
  return {
    append(count = 1) {
      let bytes = records.get(count);
      if (bytes === undefined) records.set(count, (bytes = Buffer.alloc(recordBytes * count, "r")));
      writeSync(file, bytes);
      fdatasyncSync(file);
    },
    [Symbol.dispose]: () => closeSync(file),
  };
}

/** One record for each client, one write and one fdatasync for all of them: what the disk gives to so many who wait. */
export function appendFor(seconds: number, clients: number, file: AppendFile): Answered {
  const durations: number[] = [];
  const start = performance.now();
  const end = start + seconds * 1000;
  for (let at = start; at < end;) {
    file.append(clients);
    const now = performance.now();
    durations.push((now - at) * 1000);
    at = now;
  }
  const perSecond = (durations.length * clients * 1000) / (performance.now() - start);
  return { perSecond, p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) };
}
