import type { Kernel, Outcome } from "../kernel/kernel.ts";
import type { Envelope } from "../kernel/envelope.ts";
import type { Denial } from "./acks.ts";

const names = [
  "messages_accepted",
  "messages_rejected",
  "sessions_started",
  "sessions_resolved",
  "sessions_expired",
  "sessions_cancelled",
  "sessions_suspended",
  "sessions_resumed",
  "commitments_accepted",
  "commitments_rejected",
] as const;

type Name = (typeof names)[number];

export interface Counters {
  /** One answered message. */
  answered(envelope: Envelope, outcome: Outcome | Denial): void;
  /** Prometheus text. */
  render(): string;
}

/**
 * Counts by mode: what stands in a session's name, and of what is accepted no SessionStart (a session started) and
 * nothing that passes by. A mode that the runtime does not know counts as `unknown`, or a client could grow the list.
 */
export function createCounters(kernel: Kernel): Counters {
  const byMode = new Map<string, Record<Name, number>>();
  const known = (mode: string): string => (kernel.modes.get(mode) !== undefined ? mode : "unknown");
  const count = (name: Name, mode: string): void => {
    let counts = byMode.get(mode);
    if (counts === undefined) byMode.set(mode, (counts = nothingYet()));
    counts[name]++;
  };
  kernel.watchSessions(({ kind, session }) => {
    const event = kind === "CREATED" ? "started" : kind.toLowerCase();
    count(`sessions_${event as "started"}`, session.mode);
  });
  return {
    answered({ mode, messageType, sessionId }, outcome) {
      if (sessionId === "" || (outcome.ok && (outcome.duplicate || uncounted.has(messageType)))) {
        return;
      }
      const word = outcome.ok ? "accepted" : "rejected";
      const label = outcome.ok ? mode : known(mode);
      count(`messages_${word}`, label);
      if (messageType === "Commitment") count(`commitments_${word}`, label);
    },
    render() {
      const lines = names.flatMap((name) => {
        const metric = `macp_${name}_total`;
        const samples = Array.from(
          byMode,
          ([mode, counts]) => `${metric}{mode=${JSON.stringify(mode)}} ${counts[name]}`,
        );
        return [`# HELP ${metric} ${help(name)}`, `# TYPE ${metric} counter`, ...samples];
      });
      const mismatches = "macp_replay_mismatches_total";
      return [
        ...lines,
        `# HELP ${mismatches} Recorded messages that were not accepted again at the start.`,
        `# TYPE ${mismatches} counter`,
        `${mismatches} ${kernel.restored.mismatches}`,
        "",
      ].join("\n");
    },
  };
}

/** Accepted, they are no message of the session's history, or the one that counts as its start. */
const uncounted: ReadonlySet<string> = new Set(["SessionStart", "Progress"]);

const nothingYet = (): Record<Name, number> =>
  Object.fromEntries(names.map((name) => [name, 0])) as Record<Name, number>;

function help(name: Name): string {
  const [subject = "", verb = ""] = name.split("_");
  return `${subject[0]?.toUpperCase()}${subject.slice(1)} ${verb}, by mode.`;
}
