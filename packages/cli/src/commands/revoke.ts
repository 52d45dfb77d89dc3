import { UsageError } from "../exit-code.ts";
import { type OperatorFlags, withOperator } from "../operator-from-flags.ts";

interface RevokeFlags extends OperatorFlags {
  reason: string;
}

export async function revoke(actor: string, flags: RevokeFlags): Promise<void> {
  if (!/^0x[0-9a-fA-F]{64}$/.test(actor)) {
    throw new UsageError(`${actor}: expected an actor omni, 0x + 64 hex digits`);
  }
  const { reason } = flags;
  const revoked = await withOperator(flags, ({ actors }) => actors.revoke(actor, { reason }));
  process.stdout.write(
    flags.json
      ? `${JSON.stringify(revoked)}\n`
      : `revoked ${revoked.actor} at ${new Date(revoked.revoked_at * 1000).toISOString()}, record ${revoked.envelope_hash}\n`,
  );
}
