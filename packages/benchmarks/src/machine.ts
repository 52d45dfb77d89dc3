import { statfsSync } from "node:fs";
import { availableParallelism, loadavg } from "node:os";

export interface Machine {
  readonly node: string;
  readonly cores: number;
  /** Mean number of runnable processes over 1, 5 and 15 minutes, before the run. */
  readonly load: readonly number[];
  /** Of the folder that the records were written to. */
  readonly fileSystem: string;
  /** What made the requests of the throughput part. */
  readonly generator: string;
}

const fileSystems: Readonly<Record<number, string>> = {
  0xef53: "ext4",
  0x9123683e: "btrfs",
  0x58465342: "xfs",
  0x794c7630: "overlayfs",
  0x1021994: "tmpfs (in memory: nothing here was durable)",
};

export function describeMachine(data: string, generator: string): Machine {
  const { type } = statfsSync(data);
  return {
    node: process.versions.node,
    cores: availableParallelism(),
    load: loadavg().map((mean) => Math.round(mean * 100) / 100),
    fileSystem: fileSystems[type] ?? `file system 0x${type.toString(16)}`,
    generator,
  };
}
