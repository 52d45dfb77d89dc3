import { createAuthority } from "@agentkeys/server";
import { dataDirectory } from "../data-directory.ts";
import { UsageError } from "../exit-code.ts";
import { interrupted, isLoopback, parseListen } from "../listening.ts";

interface ServeFlags {
  listen?: string;
  data: string;
  config?: string;
  surface: string;
  transport?: string;
}

export async function serve(flags: ServeFlags): Promise<void> {
  const transport = flags.transport ?? process.env["MCP_TRANSPORT"] ?? "http";
  if (transport !== "http" && transport !== "stdio") {
    throw new UsageError(`--transport ${transport}: expected http or stdio`);
  }
  const { surface } = flags;
  if (surface !== "v1" && surface !== "default") {
    throw new UsageError(`--surface ${surface}: expected v1 or default`);
  }
  const address = parseListen(flags.listen ?? process.env["MCP_LISTEN"] ?? "127.0.0.1:8088");
  const stopped = interrupted();
  const authority = await createAuthority({
    data: dataDirectory(flags.data),
    surface,
    ...(flags.config === undefined ? {} : { config: flags.config }),
  });
  try {
    if (transport === "stdio") {
      await Promise.race([
        stopped,
        authority.stdio({ input: process.stdin, output: process.stdout }),
      ]);
      return;
    }
    const { url } = await authority.listen(address);
    if (surface === "v1" && !isLoopback(address.host)) {
      process.stderr.write(
        `agentkeys: ${address.host} is not loopback, and the v1 surface takes audit records from anybody who reaches it\n`,
      );
    }
    process.stderr.write(`agentkeys: listening on ${url}\n`);
    await stopped;
  } finally {
    await authority.close();
    // An open input would keep the process; touched only where it was read, because not every kind of input can be let go.
    if (transport === "stdio") process.stdin.destroy();
  }
}
