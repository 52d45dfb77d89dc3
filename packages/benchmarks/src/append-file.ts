import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

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
