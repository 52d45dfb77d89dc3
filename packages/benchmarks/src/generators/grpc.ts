import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { Answered } from "../load.ts";
import { programArguments } from "../program.ts";

const run = promisify(execFile);
const source = fileURLToPath(new URL("grpc-load.c", import.meta.url));

export interface GrpcLoad {
  /** `host:port`, plaintext. */
  readonly target: string;
  readonly path: string;
  readonly token: string;
  readonly seconds: number;
  /** One for each caller: the same message every time, but for the 12 digits after its mark `#`. */
  readonly requests: readonly Uint8Array[];
}

/** Unary calls from a process of its own, one connection. Rejects when a message is refused. */
export interface GrpcGenerator {
  readonly name: string;
  generate(load: GrpcLoad): Promise<Answered>;
}

/** A C program where there is a compiler: a client on Node costs as much as the server that it measures. */
export async function findGrpcGenerator(directory: string): Promise<GrpcGenerator> {
  const program = join(directory, "grpc-load");
  const compiled = await run("cc", ["-O2", "-o", program, source]).then(
    () => true,
    () => false,
  );
  const name = compiled ? "a C client" : "a client on Node (no C compiler)";
  const [command, before] = compiled
    ? [program, []]
    : [process.execPath, programArguments("grpc-load", [])];
  return {
    name,
    async generate({ target, path, token, seconds, requests }) {
      const file = join(directory, "requests");
      await writeFile(file, Buffer.concat(requests.flatMap((one) => [lengthOf(one), one])));
      const [host = "", port = ""] = target.split(":");
      const options = [host, port, path, token, String(seconds), file];
      const { stdout } = await run(command, [...before, ...options]);
      return JSON.parse(stdout) as Answered;
    },
  };
}

function lengthOf(bytes: Uint8Array): Buffer {
  const length = Buffer.alloc(4);
  length.writeUInt32BE(bytes.length);
  return length;
}
