import type { Guard } from "@agentkeys/core";
import { type AnyTool, guardTool, mapped } from "./guard-tools.ts";

type Step = { tools?: Record<string, AnyTool> };
type Prepare = (step: never) => unknown;

/** A `prepareStep`, or its like in a processor, whose own tools decide for themselves: Mastra runs them without any hook. */
function injecting<F extends Prepare>(guard: Guard, prepare: F): F {
  const prepared = async (step: Step): Promise<unknown> => {
    const given = (await prepare(step as never)) as Step | undefined;
    const hooked = new Set(Object.values(step.tools ?? {}).map(({ execute }) => execute));
    const tools = mapped(given?.tools ?? {}, (tool: AnyTool, name) =>
      hooked.has(tool.execute) ? tool : guardTool(guard, name, tool),
    );
    return given?.tools ? { ...given, tools } : given;
  };
  return prepared as Prepare as F;
}

/** Options of a run, where they inject tools. */
export function guardOptions<O extends { prepareStep?: Prepare; inputProcessors?: object[] }>(
  guard: Guard,
  options: O,
): O {
  const { prepareStep, inputProcessors } = options;
  return {
    ...options,
    ...(prepareStep && { prepareStep: injecting(guard, prepareStep) }),
    ...(inputProcessors && { inputProcessors: guardProcessors(guard, inputProcessors) }),
  };
}

/** The processors, whatever they keep to themselves. One that injects nothing, a workflow say, stays as it is. */
export function guardProcessors<P extends object>(guard: Guard, all: P[]): P[] {
  const get = (target: P, key: string | symbol): unknown => {
    const value: unknown = Reflect.get(target, key, target);
    if (typeof value !== "function") return value;
    const method = value.bind(target) as Prepare;
    return key === "processInputStep" ? injecting(guard, method) : method;
  };
  return all.map((one) => ("processInputStep" in one ? new Proxy(one, { get }) : one));
}
