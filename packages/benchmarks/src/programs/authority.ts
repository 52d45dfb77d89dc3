// An authority in a process of its own, on the directory given.
import { createAuthority } from "@agentkeys/server";
import { authorityOptions } from "../identity.ts";

const [data = ""] = process.argv.slice(2);
const authority = await createAuthority({ data, ...authorityOptions });
const { url } = await authority.listen({ port: 0 });
process.stdout.write(`${JSON.stringify({ url })}\n`);
process.stdin.resume().once("end", () => void authority.close().then(() => process.exit(0)));
