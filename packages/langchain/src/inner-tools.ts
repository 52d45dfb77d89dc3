import type { Guard } from "@agentkeys/core";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import * as context from "@langchain/core/context";
import { AsyncLocalStorageProviderSingleton } from "@langchain/core/singletons";
import type { StructuredTool } from "@langchain/core/tools";

const contextVar = "agentkeys_guarded_call";

/** Callbacks see no tool, only what it gives as its JSON; these are of tools that decide for themselves. */
const governed = new WeakSet<object>();

/** Lets the tool run inside guarded ones. Returns it. */
export function markGoverned<T extends StructuredTool>(tool: T): T {
  const json = tool.toJSON();
  governed.add(json);
  return Object.defineProperty(tool, "toJSON", { value: () => json });
}

/** Runs what it is given, and gives what that gives. */
export type Within = <R>(body: () => R) => R;

/**
 * Inside of what this runs, and of whatever is started there, a tool that does not decide for itself is refused, whichever agent
 * calls it. A hook, because callbacks are not inherited by a run that is given some of its own.
 */
export function refuseRawTools(guard: Guard): Within {
  const methods: Pick<BaseCallbackHandler, "handleToolStart"> = {
    async handleToolStart(json, input, ...[, , , , tool = json.id.at(-1) ?? "", callId]) {
      if (governed.has(json)) return;
      const why = "a raw tool inside a guarded one: guardTools makes it decide for itself";
      const denial = await guard.refuse({ tool, input: { input }, callId }, "unguarded_tool", why);
      throw new Error(denial.message);
    },
  };
  const handling = { name: contextVar, raiseError: true, awaitHandlers: true };
  const refusing = Object.assign(BaseCallbackHandler.fromMethods(methods), handling);
  const register = (): unknown => {
    context.registerConfigureHook({ contextVar, inheritable: true });
    context.setContextVariable(contextVar, refusing);
    return storage.getStore();
  };
  const storage = AsyncLocalStorageProviderSingleton.getInstance();
  // What LangChain keeps of it. Whenever it is told, it builds two run trees; a copy of the one that is there costs a third.
  const told = storage.run({}, register) as object;
  const [key = ""] = Reflect.ownKeys(told);
  return (body) => {
    const here: object = storage.getStore() ?? {};
    if (key in here) return storage.run(here, () => (register(), body()));
    const inside = Object.assign(Object.create(Object.getPrototypeOf(here)), here, told);
    return storage.run(inside, body);
  };
}

/** The steps of a generator are taken from outside. What is none stays as it is. */
export function takeWithin<R>(within: Within, result: R): R {
  const steps = Object(result) as AsyncGenerator;
  if (!(Symbol.asyncIterator in steps) || typeof steps.next !== "function") return result;
  const taken: AsyncGenerator = Object.assign(Object.create(steps), {
    next: (...value: [] | [unknown]) => within(() => steps.next(...value)),
    return: (value: unknown) => within(() => steps.return(value)),
    throw: (error: unknown) => within(() => steps.throw(error)),
    [Symbol.asyncIterator]: () => taken,
  });
  return taken as R;
}
