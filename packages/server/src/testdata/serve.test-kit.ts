// The authority as a process of its own, for tests. Prints one line with its url where it listens.
import { parseArgs } from "node:util";
import { createAuthority } from "../authority.ts";

const { values } = parseArgs({
  options: {
    listen: { type: "string", default: "127.0.0.1:0" },
    data: { type: "string", default: ":memory:" },
    config: { type: "string" },
    surface: { type: "string", default: "v1" },
    transport: { type: "string", default: "http" },
  },
});
const { data, config, listen } = values;
const authority = await createAuthority({
  data,
  surface: values.surface === "default" ? "default" : "v1",
  ...(config === undefined ? {} : { config }),
});
const stop = async () => {
  await authority.close();
  process.exit(0);
};
process.once("SIGTERM", () => void stop()).once("SIGINT", () => void stop());
if (values.transport === "stdio") {
  await authority.stdio({ input: process.stdin, output: process.stdout });
  await authority.close();
} else {
  const [host = "", port = "0"] = listen.split(/:(?=\d+$)/);
  const { url } = await authority.listen({ host, port: Number(port) });
  process.stdout.write(`${JSON.stringify({ url })}\n`);
}
