import { AsyncLocalStorage } from "node:async_hooks";
import { type Guard, isGuardedBy, isOwn } from "@agentkeys/core";
import type { Tool } from "@mastra/core/tools";
import type { CallContext } from "./call.ts";

/** The tool that an agent is about to call, in the context of that call alone. */
const present = new AsyncLocalStorage<Present>();
type Present = { tool: object; name: string; id: string; met?: true };

/** A task in the background may run again, in whatever context, with the messages that it alone was given. */
const inBackground = new WeakMap<object, Present>();

/**
 * A copy of the tool that says that it is the one whenever an agent is about to call it by this name: hooks hear names, and any
 * toolset may bring any name. A further copy, or one with another `execute`, does not say so.
 */
export function announced<T extends object>(tool: T, name: string): T {
  const { execute, onInputAvailable: theirs } = tool as Partial<Tool>;
  const told: typeof theirs = (call) => {
    present.enterWith({ tool: copy, name, id: call.toolCallId });
    return theirs?.(call);
  };
  const get = function (this: Partial<Tool>) {
    return this === copy && this.execute === execute ? told : theirs;
  };
  const properties = { ...Object.getOwnPropertyDescriptors(tool), onInputAvailable: { get } };
  const copy = Object.create(Object.getPrototypeOf(tool) as object, properties) as T;
  return copy;
}

/** Whether what is about to be called needs no help to be decided on. Good for one call. */
export function decidesItself(guard: Guard, name: string, context: CallContext): boolean {
  const { toolCallId, messages = [], isBackgroundTask } = context;
  const again = isBackgroundTask ? inBackground.get(messages) : undefined;
  const here = again ?? present.getStore();
  if (here?.name !== name || here.id !== toolCallId || (here.met && !again)) return false;
  here.met = true;
  if (isBackgroundTask) inBackground.set(messages, here);
  return isGuardedBy(here.tool, guard) || isOwn(here.tool);
}
