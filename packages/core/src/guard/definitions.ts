import { AgentKeysError } from "@agentkeys/contract";
import { isOwn } from "./brand.ts";
import { reachesOf } from "../coverage/coverage.ts";
import type { Refusal } from "./decision.ts";
import type { Definition, Guard, GuardOptions } from "./guard-surface.ts";
import { isRecord } from "../json/is-record.ts";
import { definitionOf, toolFingerprint } from "./tool-fingerprint.ts";

/** What was accepted and what was seen, of tools that others define. */
export interface Definitions {
  /** Why a tool of this name must not run; undefined where its definition is as accepted, or nobody's concern. */
  refusal(tool: string): Refusal | undefined;
  recognize(guard: Guard, target: unknown): Promise<Definition[]>;
}

/** Throws `config_invalid` for what is no map of fingerprints. */
export function definitionsOf(given: GuardOptions["definitions"] = {}): Definitions {
  if (!isRecord(given) || !Object.values(given).every(isFingerprint)) {
    const problem =
      "definitions: expected fingerprints by tool name, as guard.recognize gives them";
    throw new AgentKeysError("config_invalid", problem);
  }
  const accepted = new Map(Object.entries(given));
  const seen = new Map<string, string>();

  return {
    refusal(tool) {
      const before = accepted.get(tool);
      const now = seen.get(tool);
      return before === now ? undefined : changed(tool, before, now);
    },
    async recognize(guard, target) {
      const tools = reachesOf(guard, target).filter(({ object }) => object && !isOwn(object));
      const read = await Promise.allSettled(
        tools.map(({ name, object }) => toolFingerprint(definitionOf(name, object as object))),
      );
      const now = new Map<string, string>();
      const found = tools.map(({ name }, i) => {
        const fingerprint = read[i]?.status === "fulfilled" ? read[i].value : unreadable;
        // Where several bear one name, all of them have to be as accepted.
        if (now.get(name) === undefined || fingerprint !== accepted.get(name)) {
          now.set(name, fingerprint);
        }
        return { name, fingerprint, accepted: accepted.get(name) === fingerprint };
      });
      for (const [name, fingerprint] of now) seen.set(name, fingerprint);
      for (const one of read) if (one.status === "rejected") throw one.reason;
      return found;
    },
  };
}

/** Nothing that could be accepted. */
const unreadable = "unreadable";

function changed(tool: string, before: string | undefined, now: string | undefined): Refusal {
  const why =
    now === undefined
      ? "its definition was not read; give the tools that its server lists to guard.recognize"
      : `its definition is ${now}; accepted was ${before ?? "none"}`;
  const explanation = `${JSON.stringify(tool.slice(0, 64))}: ${why}`;
  return { code: "permission_denied", reason: "tool_changed", explanation };
}

function isFingerprint(value: unknown): value is string {
  return typeof value === "string" && /^0x[0-9a-f]{64}$/.test(value);
}
