import type { Denial } from "./guard-surface.ts";

/** Calls of one step follow each other at once; what comes later than this, in milliseconds, is another pass. */
const followsMs = 1000;

/**
 * Where a framework asks for the calls of a step one after another, whoever finds the authority silent answers for the rest of
 * them, so that a hanging one costs one deadline and not one for each.
 */
export class Steps {
  readonly #silent = new WeakMap<object, { denial: Denial; at: number }>();

  /** What the rest of the step is answered; undefined = it may ask. */
  silent(step: object | undefined): Denial | undefined {
    const silent = step && this.#silent.get(step);
    if (silent === undefined || performance.now() - silent.at >= followsMs) return undefined;
    return silent.denial;
  }

  /** Remembers it, and gives it back. Also what `silent` gave: each answer keeps the next one from asking. */
  heard(step: object | undefined, denial: Denial): Denial {
    if (step !== undefined && denial.code === "authority_unavailable") {
      this.#silent.set(step, { denial, at: performance.now() });
    }
    return denial;
  }
}
