import { createOperator } from "@agentkeys/core";
import { UsageError } from "../exit-code.ts";

interface RevokeFlags {
  url?: string;
  token?: string;
  reason: string;
  json?: true;
}

export async function revoke(actor: string, flags: RevokeFlags): Promise<void> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(actor)) {
    throw new UsageError(`${actor}: expected an actor omni, 0x + 64 hex digits`);
  }
  const { url, token, reason } = flags;
  await using operator = createOperator({
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  });
  const revoked = await operator.actors.revoke(actor, { reason });
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(revoked)}\n`
      : `revoked ${revoked.actor} at ${new Date(revoked.revoked_at * 1000).toISOString()}, record ${revoked.envelope_hash}\n`,
  );
}
