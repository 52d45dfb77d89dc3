import { brandGuarded } from "./brand.ts";
import { deniedError } from "./decision.ts";
import type { Guard, Guarded, Ran, WrapOptions } from "./guard-surface.ts";

/** `guard.wrap`: the same function, decided before each call and recorded around it. */
export function wrapFunction<A extends unknown[], R>(
  guard: Guard,
  execute: (...args: A) => R,
  { tool, call, outcome, drain = false }: WrapOptions<A> & { tool: string },
): Guarded<A, R> {
  const streams = isAsyncGeneratorFunction(execute);
  const run = async (self: unknown, args: A): Promise<Ran<unknown>> => {
    const ids = call?.(...args) ?? {};
    const ran = await guard.run(
      { ...ids, tool, input: args[0] },
      (input): unknown => {
        const result = execute.apply(self, [input, ...args.slice(1)] as unknown as A);
        return drain && !streams ? lastOf(result) : result;
      },
      outcome === undefined ? {} : { outcome },
    );
    if (ran.status === "ran") return ran;
    throw deniedError(ran);
  };

  async function once(this: unknown, ...args: A): Promise<unknown> {
    return (await run(this, args)).result;
  }

  async function* streamed(this: unknown, ...args: A): AsyncGenerator {
    const { result, replayed } = await run(this, args);
    return replayed === true ? result : yield* result as AsyncGenerator;
  }

  const guarded = streams ? streamed : once;
  Object.defineProperty(guarded, "name", { value: execute.name, configurable: true });
  return brandGuarded(guarded, guard) as unknown as Guarded<A, R>;
}

/** A plain function cannot wait for a decision and stream as well. */
async function lastOf(given: unknown): Promise<unknown> {
  const values = (await given) as AsyncIterable<unknown> | null | undefined;
  if (values?.[Symbol.asyncIterator] === undefined) return values;
  let last: unknown;
  for await (last of values);
  return last;
}

function isAsyncGeneratorFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object AsyncGeneratorFunction]";
}
