import type { Observation, Played } from "../matrix/observe.ts";
import type { Mode, ShapeName } from "../matrix/shapes.ts";
import type { Stage } from "../matrix/stage.ts";
import { createPolicy, type Policy } from "./policy.ts";

/** A line of a peer's own record. */
export interface Entry {
  readonly tool: string;
  readonly refused: boolean;
}

/** One play's policy, tools and record. What the tools do is counted. */
export interface PeerStage extends Pick<Stage, "effects" | "pay">, AsyncDisposable {
  readonly policy: Policy;
  /** What the peer wrote by itself, where it writes at all. */
  readonly log: Entry[];
  sinkFault: "fails" | "hangs" | undefined;
  /** Where a peer hands its record over. */
  sink(entry: Entry): Promise<void>;
  /** To be done when the play is over. */
  defer(end: () => unknown): void;
}

export interface PeerPlayed extends Played {
  /** Prices that may be paid, once each, and need not. */
  readonly may?: readonly number[];
}

/** Plays one shape; null where the peer has nothing of the kind. */
export type PeerPlay = (stage: PeerStage, mode: Mode) => Promise<PeerPlayed> | null;

/** A play for every peer that is joined to a framework in the same way. */
export type SeamPlay<S> = (seam: S, stage: PeerStage, mode: Mode) => Promise<PeerPlayed> | null;

export function playsOf<S, K extends string>(
  seam: S,
  plays: Readonly<Record<K, SeamPlay<S>>>,
): Record<K, PeerPlay> {
  const bound = Object.entries<SeamPlay<S>>(plays).map(([shape, play]) => [
    shape,
    (stage: PeerStage, mode: Mode) => play(seam, stage, mode),
  ]);
  return Object.fromEntries(bound) as Record<K, PeerPlay>;
}

/** What somebody would pick instead. */
export interface Peer {
  readonly name: string;
  /** How it was joined to the framework and the policy, for the page. */
  readonly join: string;
  /** It has a place for a record. */
  readonly records: boolean;
  readonly plays: Readonly<Record<ShapeName, PeerPlay>>;
  readonly notes: Readonly<Partial<Record<ShapeName, string>>>;
}

/** `hung`: nobody had an answer within the time. `crash`: an unhandled rejection, which ends a process. */
export type PeerCell = Observation | "n/a" | "hung" | "crash";

export function openPeerStage(): PeerStage {
  const effects: PeerStage["effects"] = [];
  const log: Entry[] = [];
  const ends: (() => unknown)[] = [];
  const stage: PeerStage = {
    policy: createPolicy(),
    effects,
    log,
    sinkFault: undefined,
    async sink(entry) {
      if (stage.sinkFault === "fails") throw new Error("disk full");
      if (stage.sinkFault === "hangs") await new Promise(() => {});
      log.push(entry);
    },
    pay({ price }, tool = "pay") {
      effects.push({ tool, price });
      return `paid ${price}`;
    },
    defer: (end) => void ends.push(end),
    async [Symbol.asyncDispose]() {
      for (const end of ends.toReversed()) await end();
    },
  };
  return stage;
}
