import type { Secrets } from "@agentkeys/contract";
import type { Outcome, Settled } from "./guard-surface.ts";

export interface Held {
  /** Called before the last step is given; tells what it counted as. */
  settle(end: Settled | "unread"): Promise<Outcome>;
  /** Runs each step. */
  within<R>(step: () => R): R;
  /** Taken out of each value. One that is cut in two is not found. */
  readonly secrets: Secrets;
}

/** Anything that is read step by step, and so is not over when it is returned. */
export function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return (
    typeof value === "object" &&
    value !== null &&
    Symbol.asyncIterator in value &&
    typeof (value as Partial<AsyncGenerator>).next === "function"
  );
}

/**
 * The generator, settled when it ends: by itself, by an error, or because nobody wanted the rest, even of one that was never
 * started.
 */
export function holdOpen(
  source: AsyncGenerator,
  { settle, within, secrets }: Held,
): AsyncGenerator {
  let over = false;
  const finish = async (end: Settled | "unread"): Promise<Outcome | undefined> => {
    if (over) return undefined;
    over = true;
    return settle(end);
  };
  const step = async (
    advance: () => Promise<IteratorResult<unknown>>,
    left: boolean,
  ): Promise<IteratorResult<unknown>> => {
    try {
      const answer = await within(advance);
      if (answer.done === true) await finish(left ? "unread" : { result: answer.value as unknown });
      const value = secrets.scrub(answer.value);
      return value === answer.value ? answer : { ...answer, value };
    } catch (error) {
      // A framework's signal is its own.
      throw (await finish({ error })) === "suspended" ? error : secrets.scrubError(error);
    }
  };
  const close = (value?: unknown): Promise<IteratorResult<unknown>> =>
    step(async () => (await source.return?.(value)) ?? { done: true, value }, true);
  const held = {
    next: (...value: [] | [unknown]) => step(() => source.next(...value), false),
    return: close,
    throw: (error: unknown) =>
      step(async () => {
        if (source.throw !== undefined) return source.throw(error);
        throw error;
      }, false),
    [Symbol.asyncIterator]: () => held,
    [Symbol.asyncDispose]: async () => void (await close()),
    [Symbol.toStringTag]: "AsyncGenerator",
  };
  return held as AsyncGenerator;
}
