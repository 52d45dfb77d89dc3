import type { Recorded } from "../recorded.ts";

export const intents = (rows: readonly Recorded[]): Recorded[] =>
  rows.filter(({ kind }) => kind === "guard.intent");
export const outcomes = (rows: readonly Recorded[]): Recorded[] =>
  rows.filter(({ kind }) => kind === "runtime.tool_result");
