import { UsageError } from "../exit-code.ts";
import { type OperatorFlags, operatorFromFlags } from "../operator-from-flags.ts";

interface RevokeFlags extends OperatorFlags {
  reason: string;
}

export async function revoke(actor: string, flags: RevokeFlags): Promise<void> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(actor)) {
    throw new UsageError(`${actor}: expected an actor omni, 0x + 64 hex digits`);
  }
  await using operator = operatorFromFlags(flags);
  const revoked = await operator.actors.revoke(actor, { reason: flags.reason });
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(revoked)}\n`
      : `revoked ${revoked.actor} at ${new Date(revoked.revoked_at * 1000).toISOString()}, record ${revoked.envelope_hash}\n`,
  );
}
