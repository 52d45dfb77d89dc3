import { AgentKeysError } from "@agentkeys/core";
import { CommanderError } from "commander";
import pc from "picocolors";

/** Wrong usage of the command line: exit 2. */
export class UsageError extends Error {}

function textOf(error: unknown): string {
  if (AgentKeysError.is(error)) {
    const cause =
      error.code === "internal" && error.cause instanceof Error ? error.cause.message : "";
    return cause === "" ? error.message : `${error.message}: ${cause}`;
  }
  return error instanceof Error ? error.message : String(error);
}

/** 0 done, 1 refused or failed, 2 wrong usage. Writes one line to stderr, never a stack. */
export function exitCodeOf(error: unknown): 0 | 1 | 2 {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  process.stderr.write(`${pc.red("agentkeys:")} ${textOf(error)}\n`);
  return error instanceof UsageError ? 2 : 1;
}
