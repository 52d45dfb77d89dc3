import { EventEmitter, once } from "node:events";
import { PassThrough } from "node:stream";
import { createInterface } from "node:readline";
import type { Guard, GuardCall } from "@agentkeys/core";
import type { Options } from "@anthropic-ai/claude-agent-sdk";
import { type Played, ScriptedClaudeCode, type ScriptedClaude } from "./scripted-claude-code.ts";
import type { Script } from "./script.ts";

export type { Played, ScriptedClaude } from "./scripted-claude-code.ts";

/** What `scriptedClaude` gives: spread `options` into the options of `query`. */
export interface ScriptedProcess extends Played {
  options: Required<Pick<Options, "pathToClaudeCodeExecutable" | "spawnClaudeCodeProcess">>;
}

/**
 * Stands in for the Claude Code program, in this process: speaks its protocol with the SDK over two streams, calls hooks,
 * `canUseTool` and in-process MCP servers as that does, and follows the script instead of a model. A run ends with the script's
 * text. Names in a script are those that the model sees (`mcp__shop__order`, `Bash`).
 */
export function scriptedClaude(
  script: Script,
  scripted: Omit<ScriptedClaude, "script"> = {},
): ScriptedProcess {
  const played: Played = { answers: [], offered: [] };
  const spawnClaudeCodeProcess: NonNullable<Options["spawnClaudeCodeProcess"]> = ({
    args,
    signal,
  }) => {
    const child = Object.assign(new EventEmitter(), {
      stdin: new PassThrough(),
      stdout: new PassThrough(),
      killed: false,
      exitCode: null as number | null,
      kill(): boolean {
        child.killed = true;
        child.stdin.end();
        end(143);
        return true;
      },
    });
    const end = (code: number): void => {
      if (child.exitCode !== null) return;
      child.exitCode = code;
      child.stdout.end();
      child.emit("exit", code, null);
    };
    signal.addEventListener("abort", () => child.kill(), { once: true });
    const write = (line: string): void => {
      if (child.exitCode === null) child.stdout.write(`${line}\n`);
    };
    const claude = new ScriptedClaudeCode({ ...scripted, script }, args, { played, write });
    const lines = createInterface(child.stdin).on("line", (line) => claude.read(line));
    once(lines, "close").then(
      () => end(0),
      () => end(1),
    );
    return child;
  };
  // Never run; without a path the SDK looks for the program of this platform.
  return { ...played, options: { pathToClaudeCodeExecutable: "claude", spawnClaudeCodeProcess } };
}

/**
 * The same as a program, for `pathToClaudeCodeExecutable`: a file that does nothing but call this. It speaks over this process's
 * own streams.
 */
export function playClaudeCode(
  script: Script,
  scripted: Omit<ScriptedClaude, "script"> = {},
): void {
  const claude = new ScriptedClaudeCode({ ...scripted, script }, process.argv, {
    played: { answers: [], offered: [] },
    write: (line) => process.stdout.write(`${line}\n`),
  });
  createInterface(process.stdin).on("line", (line) => claude.read(line));
}

/**
 * The same guard under other names: `nameOf` gives the row of what the model calls a tool. For rows that are shared with other
 * frameworks, where no server's name stands before a tool's.
 */
export function renamedGuard(guard: Guard, nameOf: (tool: string) => string): Guard {
  const renamed = (call: GuardCall): GuardCall => ({ ...call, tool: nameOf(call.tool) });
  return {
    ...guard,
    run: (call, ...rest) => guard.run(renamed(call), ...rest),
    decide: (call, ...rest) => guard.decide(renamed(call), ...rest),
    open: (call, ...rest) => guard.open(renamed(call), ...rest),
    refuse: (call, ...rest) => guard.refuse(renamed(call), ...rest),
    wrap: (tool, ...rest) => guard.wrap(nameOf(tool), ...rest),
  };
}
