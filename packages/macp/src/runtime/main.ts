import { AgentKeysError } from "@agentkeys/contract";
import { reportPolicies } from "./policies-directory.ts";
import { startProgram, type Program } from "./program.ts";

let program: Promise<Program> | undefined;
let stopping = false;

// Before anything listens: the first signal may come with the first connection. Those who listened while this was loaded
// go only afterwards: with nobody listening in between, a signal that came while the process was busy would be lost.
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  const before = process.listeners(signal);
  process.on(signal, () => void stop());
  for (const listener of before) process.off(signal, listener);
}

try {
  if (process.env["MACP_POLICIES_DRY_RUN"] === "1") dryRun(process.env["MACP_POLICIES_DIR"]);
  else await (program = startProgram(process.env));
} catch (error) {
  fail(error);
}

/** Looks at the policy files and does nothing else. */
function dryRun(directory: string | undefined): void {
  if (!directory) fail(new Error("MACP_POLICIES_DRY_RUN=1 needs MACP_POLICIES_DIR"));
  const usable = reportPolicies(directory, (line) => void process.stdout.write(`${line}\n`));
  process.exitCode = usable ? 0 : 1;
}

async function stop(): Promise<void> {
  // A second signal does not wait.
  if (stopping) process.exit(0);
  stopping = true;
  try {
    await (await program)?.stop();
    process.exit(0);
  } catch (error) {
    fail(error);
  }
}

function fail(error: unknown): never {
  const text = AgentKeysError.is(error) || error instanceof Error ? error.message : String(error);
  process.stderr.write(`Error: ${text}\n`);
  process.exit(1);
}
