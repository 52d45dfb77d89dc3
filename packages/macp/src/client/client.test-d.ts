import type { MacpClient } from "./client.ts";
import { createMacpClient } from "./client.ts";
import type { LocalRuntime, Transport } from "./transport.ts";

declare const runtime: LocalRuntime;
declare const transport: Transport;
declare const client: MacpClient;

createMacpClient({ runtime });
createMacpClient({ transport });
// @ts-expect-error: one of the two
createMacpClient({ runtime, transport });
// @ts-expect-error: neither of the two
createMacpClient({});

for await (const event of client.watchSignals()) {
  if (event.type === "signal") event.signalType satisfies string;
  if (event.type === "progress") event.total satisfies number;
  // @ts-expect-error: a gap carries nothing
  if (event.type === "gap") event.sender satisfies string;
}
for await (const { type, session } of client.watchSessions()) {
  session.startedAtMs satisfies number;

  // @ts-expect-error: there is no such event
  if (type === "DELETED") session.sessionId satisfies string;
}
const { state, acceptedAtMs } = await client.cancelSession("s", "enough");
acceptedAtMs satisfies number;
// @ts-expect-error: there is no such state
if (state === "CLOSED") acceptedAtMs satisfies number;
