import { execFile } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

/** Installed apart, into a temporary folder, when SDKs are measured: never for `test`. */
const wanted = "macp-sdk-python==0.22.0";

/** How long the installation may take, in milliseconds. */
const timeout = 180_000;

const run = promisify(execFile);

export interface PythonSdk {
  readonly name: string;
  /** Runs round-trips.py; what it printed. */
  roundTrips(...args: readonly string[]): Promise<string>;
}

/** The official Python SDK in an environment of its own under `directory`, or why it cannot be had. Never rejects. */
export async function installPythonSdk(
  directory: string,
): Promise<PythonSdk | { readonly missing: string }> {
  const environment = join(directory, "python-sdk");
  const python = join(environment, "bin", "python");
  try {
    await run("python3", ["-m", "venv", environment], { timeout });
    const pip = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", wanted];
    await run(python, pip, { timeout });
  } catch (error) {
    const [first = ""] = (error instanceof Error ? error.message : String(error)).split("\n");
    return { missing: first };
  }
  const program = fileURLToPath(new URL("round-trips.py", import.meta.url));
  return {
    name: wanted.replace("==", " "),
    roundTrips: async (...args) => (await run(python, [program, ...args])).stdout,
  };
}
