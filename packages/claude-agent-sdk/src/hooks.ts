import type { HookCallback, HookCallbackMatcher } from "@anthropic-ai/claude-agent-sdk";
import type { HookInput, HookJSONOutput, Options } from "@anthropic-ai/claude-agent-sdk";
import type { Guard } from "@agentkeys/core";
import { hasFailed } from "./guard-tools.ts";
import { createSeam, type Seam, type ToolCall } from "./seam.ts";

export type Hooks = NonNullable<Options["hooks"]>;

/** Claude Code goes on without a hook that is late, so the guard's own deadline has to come first. In seconds. */
const timeout = 86_400;

/**
 * The agent-level seam: decides every call of every tool (built-in, MCP, in-process) of the agent and its sub-agents, and records
 * how it ended. It denies, or leaves the call to the permissions that are configured; it never widens them. Hooks of your own
 * still run; an input that they change is decided anew.
 */
export function agentKeysHooks(guard: Guard, hooks: Hooks = {}): Hooks {
  return hooksOf(createSeam(guard), hooks);
}

const seams = new WeakMap<HookCallbackMatcher, Seam>();

/** The seam of this guard, where it is among these. */
export function seamIn(hooks: Hooks | undefined, guard: Guard): Seam | undefined {
  const all = (hooks?.PreToolUse ?? []).map((matcher) => seams.get(matcher));
  return all.find((seam) => seam?.guard === guard);
}

export function hooksOf(seam: Seam, theirs: Hooks): Hooks {
  if (seamIn(theirs, seam.guard)) return theirs;
  const hooks: Hooks = {};
  for (const [event, matchers] of Object.entries(theirs)) {
    hooks[event as keyof Hooks] = matchers.map((matcher) => {
      return { ...matcher, hooks: matcher.hooks.map((hook) => decidingEdits(seam, hook)) };
    });
  }
  const add = (event: keyof Hooks, ours: (...args: Parameters<HookCallback>) => unknown): void => {
    const hook: HookCallback = async (...args) => (await ours(...args)) || {};
    const matcher = { hooks: [hook], timeout, onFailure: "block" as const };
    seams.set(matcher, seam);
    hooks[event] = [matcher, ...(hooks[event] ?? [])];
  };
  add("PreToolUse", async (hook, id, { signal }) => {
    const message = await seam.decide(callOf(hook, id, signal));
    return message && deny(hook, message);
  });
  add("PostToolUse", async (hook, id) => {
    const { callId, input } = callOf(hook, id);
    await seam.end(callId, hasFailed((hook as ToolHook).tool_response) ? "error" : "ok", input);
  });
  add("PostToolUseFailure", async (hook, id) => {
    const { callId, input } = callOf(hook, id);
    await seam.end(callId, (hook as ToolHook).is_interrupt ? "aborted" : "error", input);
  });
  // Whatever of the turn ran has said so by now.
  add("PostToolBatch", async (hook) => {
    const { tool_calls: calls = [] } = hook as ToolHook;
    await Promise.all(calls.map(({ tool_use_id }) => seam.end(tool_use_id, "not_run")));
  });
  add("SessionEnd", async ({ session_id }) => {
    await Promise.all([seam.abort(session_id), seam.guard.forget(session_id)]);
  });
  return hooks;
}

/** Claude Code runs what the hook makes of the input. */
function decidingEdits(seam: Seam, theirs: HookCallback): HookCallback {
  return async (hook, id, options) => {
    const output = await theirs(hook, id, options);
    const said = Object((output as { hookSpecificOutput?: unknown }).hookSpecificOutput);
    const input: unknown = said.updatedInput ?? said.decision?.updatedInput;
    if (input === undefined) return output;
    const message = await seam.decide({ ...callOf(hook, id, options.signal), input });
    return message === undefined ? output : deny(hook, message);
  };
}

function deny({ hook_event_name: hookEventName }: HookInput, message: string): HookJSONOutput {
  const verdict =
    hookEventName === "PermissionRequest"
      ? { decision: { behavior: "deny", message } }
      : { permissionDecision: "deny", permissionDecisionReason: message };
  return { hookSpecificOutput: { hookEventName, ...verdict } } as HookJSONOutput;
}

/** What the events of tools say, each some of it. */
interface ToolHook {
  tool_name?: string;
  tool_input?: unknown;
  tool_use_id?: string;
  tool_response?: unknown;
  is_interrupt?: boolean;
  mcp_server?: { source: string };
  tool_calls?: { tool_use_id: string }[];
}

function callOf(hook: HookInput, id = "", signal?: AbortSignal): ToolCall {
  const { tool_name: tool = "", tool_input: input, ...said } = hook as ToolHook;
  const { tool_use_id: callId = id, mcp_server } = said;
  return { tool, input, callId, runKey: hook.session_id, signal, source: mcp_server?.source };
}
