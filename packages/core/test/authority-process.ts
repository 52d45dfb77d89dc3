import { createAuthority } from "@agentkeys/server";
import { shop } from "./shop.ts";

/** An authority in a process of its own, on disk. Prints the URL it listens on; the second argument is the port to listen on again. */
const [data = "", port = "0"] = process.argv.slice(2);
const authority = await createAuthority({ data, ...shop });
const { url } = await authority.listen({ port: Number(port) });
process.stdout.write(`${url}\n`);
// Never outlives the test.
process.stdin.on("end", () => process.exit()).resume();
