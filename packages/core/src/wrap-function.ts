import { brandGuarded } from "./brand.ts";
import { deniedError } from "./decision.ts";
import type { Guard, Guarded, Open, Outcome, WrapOptions } from "./guard-surface.ts";

type Signal = AbortSignal | undefined;

/** `guard.wrap`: the same function, decided before each call and recorded around it. */
export function wrapFunction<A extends unknown[], R>(
  guard: Guard,
  execute: (...args: A) => R,
  { tool, call, outcome }: WrapOptions<A> & { tool: string },
): Guarded<A, R> {
  const open = async (args: A): Promise<{ opened: Open; copied: A; signal: Signal }> => {
    const { signal, ...ids } = call?.(...args) ?? {};
    const opened = await guard.open({ ...ids, tool, input: args[0], signal });
    if (opened.status !== "open") throw deniedError(opened);
    return { opened, copied: [opened.input, ...args.slice(1)] as unknown as A, signal };
  };

  async function once(this: unknown, ...args: A): Promise<unknown> {
    const { opened, copied, signal } = await open(args);
    try {
      const result: unknown = await execute.apply(this, copied);
      if (isAsyncGenerator(result)) return held(() => result, opened, signal);
      await opened.end(outcome?.(result) ?? "ok");
      return result;
    } catch (error) {
      await opened.end(failure(signal));
      throw error;
    }
  }

  async function* streamed(this: unknown, ...args: A): AsyncGenerator {
    const { opened, copied, signal } = await open(args);
    return yield* held(() => execute.apply(this, copied) as AsyncGenerator, opened, signal);
  }

  const guarded = isAsyncGeneratorFunction(execute) ? streamed : once;
  Object.defineProperty(guarded, "name", { value: execute.name, configurable: true });
  return brandGuarded(guarded, guard) as unknown as Guarded<A, R>;
}

/**
 * The generator, recorded when it ends: by itself, by an error, or because nobody wanted the rest. It is made in here, because
 * a generator function throws at once where it cannot take its arguments apart.
 */
async function* held<Y, T, N>(
  generate: () => AsyncGenerator<Y, T, N>,
  opened: Open,
  signal: Signal,
): AsyncGenerator<Y, T, N> {
  let outcome: Outcome = "aborted";
  try {
    const result = yield* generate();
    outcome = "ok";
    return result;
  } catch (error) {
    outcome = failure(signal);
    throw error;
  } finally {
    await opened.end(outcome);
  }
}

function failure(signal: Signal): Outcome {
  return signal?.aborted === true ? "aborted" : "error";
}

function isAsyncGeneratorFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object AsyncGeneratorFunction]";
}

function isAsyncGenerator(value: unknown): value is AsyncGenerator {
  return Object.prototype.toString.call(value) === "[object AsyncGenerator]";
}
