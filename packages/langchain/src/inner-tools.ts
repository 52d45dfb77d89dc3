import type { Guard } from "@agentkeys/core";
import { BaseCallbackHandler } from "@langchain/core/callbacks/base";
import * as context from "@langchain/core/context";
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

/**
 * From here on, and in whatever is started from here, a tool that does not decide for itself is refused, whichever agent calls it.
 * A hook, because callbacks are not inherited by a run that is given some of its own.
 */
export function enterGuarded(refusing: BaseCallbackHandler): void {
  const entered: unknown = context.getContextVariable(contextVar);
  if (entered === undefined) context.registerConfigureHook({ contextVar, inheritable: true });
  if (entered !== refusing) context.setContextVariable(contextVar, refusing);
}

export function refuseRawTools(guard: Guard): BaseCallbackHandler {
  const methods: Pick<BaseCallbackHandler, "handleToolStart"> = {
    async handleToolStart(json, input, ...[, , , , tool = json.id.at(-1) ?? "", callId]) {
      if (governed.has(json)) return;
      const why = "a raw tool inside a guarded one: guardTools makes it decide for itself";
      const denial = await guard.refuse({ tool, input: { input }, callId }, "unguarded_tool", why);
      throw new Error(denial.message);
    },
  };
  const handling = { name: contextVar, raiseError: true, awaitHandlers: true };
  return Object.assign(BaseCallbackHandler.fromMethods(methods), handling);
}
