import { ApprovalFeed } from "./approval-feed.ts";
import { abortedDenial, isAborted, isRefusal, toDenial, type Verdict } from "../guard/decision.ts";
import type { ApprovalRef, AskOptions, Denial, GuardOptions } from "../guard/guard-surface.ts";
import { createJudge, type Judge } from "../guard/judge.ts";
import type { Rules } from "../guard/rules.ts";
import type { Sealed } from "../guard/seal-call.ts";
import { Steps } from "../guard/steps.ts";
import { withdraw } from "./withdraw.ts";
import type { Wire } from "../transport/wire.ts";

/** How often one call is asked about again: a run may be resumed again and again before anybody has decided. */
const maxRounds = 64;

export interface Asks {
  readonly judge: Judge;
  readonly wire: Wire;
  readonly steps: Steps;
  readonly feed: ApprovalFeed;
  /** undefined: a guard that waits for nobody. */
  readonly waitMs: number | undefined;
}

export function asksOf<I extends object>(
  { approval }: GuardOptions<I>,
  rules: Rules,
  wire: Wire,
): Asks {
  const judge = createJudge(rules, wire);
  const waitMs = approval?.waitMs;
  return { judge, wire, steps: new Steps(), feed: new ApprovalFeed(wire), waitMs };
}

type Asked = Denial & { approval: ApprovalRef };

/** The verdict on a call; where a person is asked, what comes of it. Rejects only with what `suspend` threw. */
export async function ask(
  sealed: Sealed,
  options: AskOptions | undefined,
  asks: Asks,
): Promise<Verdict> {
  const { judge, steps } = asks;
  const step = options?.step;
  let verdict = steps.silent(step) ?? (await judge(sealed, options));
  if (isAsked(verdict)) verdict = await settle(verdict, options ?? {}, { ...asks, sealed });
  return isRefusal(verdict) ? steps.heard(step, verdict) : verdict;
}

function isAsked(verdict: Verdict): verdict is Asked {
  return verdict.status === "asked" && verdict.approval !== undefined;
}

interface Asking extends Asks {
  readonly sealed: Sealed;
}

async function settle(asked: Asked, options: AskOptions, asking: Asking): Promise<Verdict> {
  const { resumed = false, suspend, wait = true } = options;
  const { wire, waitMs, sealed } = asking;
  let verdict: Verdict = asked;
  for (let round = 1; isAsked(verdict); round++) {
    if (resumed || (suspend !== undefined && round > maxRounds)) {
      await withdraw(wire, verdict.approval.id);
      return undecided(verdict, "the run was resumed before anybody had decided");
    }
    if (suspend === undefined) {
      return wait && waitMs !== undefined ? waited(verdict, waitMs, asking) : verdict;
    }
    await suspend(verdict.approval);
    if (isAborted(sealed.signal)) {
      wire.background(withdraw(wire, verdict.approval.id));
      return abortedDenial(verdict.scope);
    }
    const before: Asked = verdict;
    verdict = await again(before, asking);
    takeBackIfAborted(before, asking);
  }
  return verdict;
}

/** The run ended while the authority was asked, so nobody waits for the person any more. */
function takeBackIfAborted({ approval }: Asked, { wire, sealed }: Asking): void {
  if (isAborted(sealed.signal)) wire.background(withdraw(wire, approval.id));
}

/** The same call, by the name under which it was asked about. */
function again({ approval }: Asked, { judge, sealed }: Asking): Promise<Verdict> {
  return judge({ ...sealed, callId: approval.call_id }, { grant: approval.id });
}

async function waited(first: Asked, waitMs: number, asking: Asking): Promise<Verdict> {
  const { feed, wire, sealed } = asking;
  const waiter = feed.join(first.approval.id, { ms: waitMs, signal: sealed.signal });
  let asked = first;
  try {
    for (;;) {
      const news = await waiter.next();
      if (news === "closed") return abortedDenial(asked.scope);
      if (news === "aborted") {
        wire.background(withdraw(wire, asked.approval.id));
        return abortedDenial(asked.scope);
      }
      if (news === "late") {
        await withdraw(wire, asked.approval.id);
        return undecided(asked, `nobody decided within ${waitMs} ms`);
      }
      const verdict = await again(asked, asking);
      takeBackIfAborted(asked, asking);
      if (isAsked(verdict)) {
        asked = verdict;
        waiter.approval = verdict.approval.id;
      } else if (verdict.status === "denied" && verdict.code === "authority_unavailable") {
        waiter.hurry();
      } else {
        return verdict;
      }
    }
  } finally {
    waiter.leave();
  }
}

function undecided({ scope }: Asked, explanation: string): Denial {
  const reason = "approval_pending";
  return toDenial({ code: reason, reason, explanation: `${explanation}; withdrawn`, scope });
}
