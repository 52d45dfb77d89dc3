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

/** Counts by mode; a mode that the runtime does not know counts as `unknown`, or a client could grow the list. */
export function createCounters(kernel: Kernel): Counters {
  const counts = new Map<Name, Map<string, number>>(names.map((name) => [name, new Map()]));
  const known = (mode: string): string =>
    mode === "" || kernel.modes.get(mode) !== undefined ? mode : "unknown";
  const count = (name: Name, mode: string): void => {
    const byMode = counts.get(name);
    byMode?.set(mode, (byMode.get(mode) ?? 0) + 1);
  };
  kernel.watchSessions(({ kind, session }) => {
    const event = kind === "CREATED" ? "started" : kind.toLowerCase();
    count(`sessions_${event as "started"}`, session.mode);
  });
  return {
    answered({ mode, messageType }, outcome) {
      if (outcome.ok && outcome.duplicate) return;
      const word = outcome.ok ? "accepted" : "rejected";
      const label = outcome.ok ? mode : known(mode);
      count(`messages_${word}`, label);
      if (messageType === "Commitment") count(`commitments_${word}`, label);
    },
    render() {
      const lines = names.flatMap((name) => {
        const byMode = counts.get(name) ?? new Map<string, number>();
        const metric = `macp_${name}_total`;
        const samples = Array.from(
          byMode,
          ([mode, n]) => `${metric}{mode=${JSON.stringify(mode)}} ${n}`,
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

function help(name: Name): string {
  const [subject = "", verb = ""] = name.split("_");
  return `${subject[0]?.toUpperCase()}${subject.slice(1)} ${verb}, by mode.`;
}
