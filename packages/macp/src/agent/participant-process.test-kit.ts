// A participant as a program: everything that it is comes from the file that MACP_BOOTSTRAP_FILE names.
import { createMacpClient } from "../grpc.ts";
import { readBootstrap } from "./bootstrap.ts";
import { createCancelServer } from "./cancel-server.ts";
import { evaluateWith, majorityVoter, voteWith } from "./decision-strategies.ts";
import { openBootstrap } from "./open-bootstrap.ts";
import { createParticipant } from "./participant.ts";

const bootstrap = await readBootstrap();
const agent = await openBootstrap(bootstrap, createMacpClient);
if (agent.session.key !== "decision") throw new Error("this one decides");
const participant = createParticipant(agent.session, {
  me: agent.me,
  strategies: [
    evaluateWith(() => ({ recommendation: "approve", confidence: 0.9 })),
    voteWith(majorityVoter()),
  ],
});
const cancelling =
  bootstrap.cancel_callback &&
  (await createCancelServer({ ...bootstrap.cancel_callback, onCancel: () => participant.stop() }));
console.log(cancelling?.url ?? "ready");
console.log((await participant.run()) ?? "stopped");
await cancelling?.close();
await agent.close();
