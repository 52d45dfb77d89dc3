import type { Machine } from "./machine.ts";
import type { Spread } from "./spread.ts";
import type { Timing } from "./timing.ts";

/** Bound that the project set itself. */
export type Aim = { readonly most: number } | { readonly least: number };

/** One line of the table that comes first. */
export interface Finding extends Spread {
  readonly what: string;
  /** `x`: subject by baseline. `us`: microseconds more than the baseline. `per_s`: in a second. */
  readonly unit: "x" | "us" | "per_s";
  readonly aim?: Aim;
  readonly met?: boolean;
}

/** Requests or records in a second. */
export interface Rate {
  readonly perSecond: number;
  /** Microseconds of one request, seen by the client; medians over rounds. */
  readonly p50: number;
  readonly p99: number;
  /** Each round's rate, in order. */
  readonly rounds: readonly number[];
}

export interface Section {
  readonly title: string;
  readonly findings: readonly Finding[];
  readonly timings?: Readonly<Record<string, Timing>>;
  readonly rates?: Readonly<Record<string, Rate>>;
}

/** What `--json` writes. */
export interface Report {
  readonly version: 1;
  /** A smoke run: its numbers mean nothing. */
  readonly quick: boolean;
  readonly machine: Machine;
  readonly sections: readonly Section[];
}

export function toFinding({ aim, ...finding }: Omit<Finding, "met">): Finding {
  if (aim === undefined) return finding;
  const met = "most" in aim ? finding.value <= aim.most : finding.value >= aim.least;
  return { ...finding, aim, met };
}
