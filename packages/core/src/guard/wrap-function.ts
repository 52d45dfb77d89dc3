import { brandGuarded } from "./brand.ts";
import { deniedError } from "./decision.ts";
import type { Denial, Guard, GuardCall, Guarded, Ran, WrapOptions } from "./guard-surface.ts";

/** `guard.wrap`: the same function, decided before each call and recorded around it. */
export function wrapFunction<A extends unknown[], R>(
  guard: Guard,
  execute: (...args: A) => R,
  { tool, call, outcome, drain = false }: WrapOptions<A> & { tool: string },
): Guarded<A, R> {
  const streams = isAsyncGeneratorFunction(execute);
  const drains = drain && !streams;
  const running = outcome === undefined ? {} : { outcome };
  const run = (self: unknown, args: A): Promise<Ran<unknown> | Denial> => {
    const { callId, runKey, signal } = call?.(...args) ?? nameless;
    return guard.run(
      { tool, input: args[0], callId, runKey, signal },
      (input): unknown => {
        args[0] = input;
        const result = execute.apply(self, args);
        return drains ? drained(result) : result;
      },
      running,
    );
  };

  async function once(this: unknown, ...args: A): Promise<unknown> {
    const ran = await run(this, args);
    if (ran.status === "ran") return ran.result;
    throw deniedError(ran);
  }

  async function* streamed(this: unknown, ...args: A): AsyncGenerator {
    const ran = await run(this, args);
    if (ran.status !== "ran") throw deniedError(ran);
    return ran.replayed === true ? ran.result : yield* ran.result as AsyncGenerator;
  }

  const guarded = streams ? streamed : once;
  Object.defineProperty(guarded, "name", { value: execute.name, configurable: true });
  return brandGuarded(guarded, guard) as unknown as Guarded<A, R>;
}

/** A call of which the framework tells nothing. */
const nameless: Pick<GuardCall, "callId" | "runKey" | "signal"> = {};

/** A plain function cannot wait for a decision and stream as well. */
function drained(given: unknown): unknown {
  const values = given as Partial<PromiseLike<unknown> & AsyncIterable<unknown>> | null | undefined;
  if (typeof values?.then === "function") return Promise.resolve(given).then(drained);
  return values?.[Symbol.asyncIterator] === undefined
    ? given
    : lastOf(values as AsyncIterable<unknown>);
}

async function lastOf(values: AsyncIterable<unknown>): Promise<unknown> {
  let last: unknown;
  for await (last of values);
  return last;
}

function isAsyncGeneratorFunction(value: unknown): boolean {
  return Object.prototype.toString.call(value) === "[object AsyncGeneratorFunction]";
}
