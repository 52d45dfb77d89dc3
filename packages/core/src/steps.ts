import type { Denial } from "./guard-surface.ts";
import { isRefusal, type Verdict } from "./decision.ts";

/** Calls of one step follow each other at once; what comes later than this, in milliseconds, is another pass. */
const followsMs = 1000;

/**
 * Where a framework asks for the calls of a step one after another, whoever finds the authority silent answers for the rest of
 * them, so that a hanging one costs one deadline and not one for each.
 */
export class Steps {
  readonly #silent = new WeakMap<object, { denial: Denial; at: number }>();

  async decide(step: object, decide: () => Promise<Verdict>): Promise<Verdict> {
    const silent = this.#silent.get(step);
    const follows = silent !== undefined && performance.now() - silent.at < followsMs;
    const verdict = follows ? silent.denial : await decide();
    if (isRefusal(verdict) && verdict.code === "authority_unavailable") {
      this.#silent.set(step, { denial: verdict, at: performance.now() });
    }
    return verdict;
  }
}
