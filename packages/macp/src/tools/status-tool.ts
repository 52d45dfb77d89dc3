import { z } from "zod";
import type { Session } from "../sessions/session-surface.ts";
import { type CoordinationTool, defineCoordinationTool } from "./coordination-tool.ts";

/** Most seconds that a model may wait in one call. */
const longestWait = 60;

const input = z.object({
  wait_seconds: z
    .number()
    .min(0)
    .max(longestWait)
    .default(0)
    .describe("Wait up to this long for something new to be said first."),
});

/** How many messages a session had when its status was last told. */
const told = new WeakMap<object, number>();

/** How the session stands, in words of its mode; waits for news on request, counted from the last look. */
export function statusTool<S extends Session>(
  mode: string,
  facts: (session: S) => object,
): CoordinationTool<S> {
  return defineCoordinationTool<S, typeof input>({
    id: `${mode}.status`,
    title: `Look at the ${mode.replace("_", "-")} session`,
    description: `Tells how the ${mode.replace("_", "-")} session stands: who takes part, what has been said, what is still open. Look before you act, and again when you are told that something is too late.`,
    input,
    readOnly: true,
    run: async (session, { wait_seconds: seconds }, { signal }) => {
      const { projection } = session;
      const seen = told.get(session) ?? 0;
      if (seconds > 0) await news(session, seen, { seconds, signal });
      told.set(session, projection.transcript.length);
      const { initiator, participants, phase, start, commitment } = projection;
      return {
        session_id: session.id,
        intent: start?.intent ?? "",
        phase,
        initiator,
        participants,
        ...facts(session),
        ...(session.ending && { ended: session.ending }),
        ...(commitment && {
          commitment: {
            action: commitment.action,
            authority_scope: commitment.authorityScope,
            reason: commitment.reason,
            outcome_positive: commitment.outcomePositive,
          },
        }),
      };
    },
  });
}

/** Resolves when more than `seen` was said, when nothing more will be, or when it is late. */
async function news(
  session: Session,
  seen: number,
  { seconds, signal }: { seconds: number; signal: AbortSignal | undefined },
): Promise<void> {
  const late = AbortSignal.timeout(seconds * 1000);
  const waiting = signal === undefined ? late : AbortSignal.any([signal, late]);
  const more = session.until(({ transcript }) => transcript.length > seen, { signal: waiting });
  await more.catch(() => signal?.throwIfAborted());
}
