import { AgentKeysError } from "@agentkeys/contract";
import type { Auth } from "../protocol/auth.ts";

/** Refuses to send a message in somebody else's name. The runtime would too, but then it has travelled. */
export function assertSender(sender: string, auth: Auth | undefined): void {
  const expected = auth?.expectedSender;
  if (sender === "" || expected === undefined || sender === expected) return;
  throw new AgentKeysError(
    "actor_mismatch",
    `sender is ${sender}, the credential is ${expected}'s`,
    {
      data: { sender, expected_sender: expected },
    },
  );
}
