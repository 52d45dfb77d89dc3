import { AgentKeysError } from "@agentkeys/contract";
import { isGuardedBy, isOwn } from "../guard/brand.ts";
import type { Coverage, CoveredTool, How, Reach } from "./coverage-surface.ts";
import type { Guard } from "../guard/guard-surface.ts";
import type { Inspector } from "./inspector.ts";
import { inspectPlain } from "./inspect-plain.ts";

// Registered, so that a framework package and a program may have copies of their own.
const inspectorsKey: unique symbol = Symbol.for("agentkeys.inspectors");
const shared = globalThis as { [inspectorsKey]?: Map<string, Inspector> };

/** Levels of agents within agents; an agent that reaches itself ends here. */
const maxDepth = 16;

/** Makes a framework's agents known to `guard.coverage`. For framework packages, when they are imported. */
export function registerInspector(inspector: Inspector): void {
  (shared[inspectorsKey] ??= new Map<string, Inspector>()).set(inspector.name, inspector);
}

/** Everything that can be reached, asking for what is known only later. */
export async function coverageOf(
  guard: Guard,
  rows: readonly string[],
  target: unknown,
): Promise<Coverage> {
  const tools: CoveredTool[] = [];
  const walk = async (found: readonly Reach[], at: At): Promise<void> => {
    for (const reach of found) {
      const { tool, inner } = classify(guard, reach, at);
      if (tool !== undefined) tools.push(tool);
      if (inner !== undefined) await walk(inner.found, inner.at);
      if (reach.later !== undefined) await walk(await laterOf(reach), at);
    }
  };
  await walk(reachesOf(guard, target), { path: "", depth: 0 });
  const governed = new Set(tools.flatMap(({ name, how }) => (how === "guarded" ? [name] : [])));
  return { tools, unused: rows.filter((row) => !governed.has(row)) };
}

/** What cannot be known is itself reported. */
async function laterOf({ name, path = name, later }: Reach): Promise<readonly Reach[]> {
  try {
    return (await later?.()) ?? [];
  } catch {
    return [{ name, path, how: "dynamic" }];
  }
}

/**
 * Throws `config_invalid` for a tool that neither the guard nor the authority governs, of those that are known now; what is known
 * later is left out. What `strict` does at construction.
 */
export function assertCovered(guard: Guard, target: unknown): void {
  const open: string[] = [];
  const walk = (found: readonly Reach[], at: At): void => {
    for (const reach of found) {
      const { tool, inner } = classify(guard, reach, at);
      if (tool !== undefined && !isGoverned(tool)) open.push(`${tool.path} (${tool.how})`);
      if (inner !== undefined) walk(inner.found, inner.at);
    }
  };
  walk(reachesOf(guard, target), { path: "", depth: 0 });
  if (open.length === 0) return;
  throw new AgentKeysError("config_invalid", `strict: no guard reaches ${open.join(", ")}`);
}

function isGoverned({ how }: CoveredTool): boolean {
  return how === "guarded" || how === "agentkeys";
}

interface At {
  readonly path: string;
  readonly depth: number;
}

interface Classified {
  readonly tool: CoveredTool | undefined;
  readonly inner: { readonly found: readonly Reach[]; readonly at: At } | undefined;
}

/** A brand says more than any hint; what has an inside is as good as what is inside. */
function classify(guard: Guard, reach: Reach, { path: above, depth }: At): Classified {
  const { name, object, how, inner } = reach;
  const path = [above, reach.path ?? name].filter((part) => part !== "").join(".");
  const found = inner === undefined || depth >= maxDepth ? undefined : look(guard, inner);
  if (found !== undefined) {
    return { tool: undefined, inner: { found, at: { path, depth: depth + 1 } } };
  }
  if (reach.later !== undefined && object === undefined && how === undefined) {
    return { tool: undefined, inner: undefined };
  }
  const plain: How = how ?? (inner === undefined ? "raw" : "sub-agent");
  return { tool: { name, how: branded(guard, object) ?? plain, path }, inner: undefined };
}

function branded(guard: Guard, object: unknown): How | undefined {
  const { execute } = Object(object) as { execute?: unknown };
  if (isGuardedBy(object, guard) || isGuardedBy(execute, guard)) return "guarded";
  return isOwn(object) || isOwn(execute) ? "agentkeys" : undefined;
}

/** What can be reached directly. Throws `config_invalid` for what nobody knows. */
export function reachesOf(guard: Guard, target: unknown): readonly Reach[] {
  const found = look(guard, target);
  if (found !== undefined) return found;
  const known = [...(shared[inspectorsKey]?.keys() ?? [])].join(", ") || "none";
  throw new AgentKeysError(
    "config_invalid",
    `coverage: no agent, configuration or tools of a framework whose package is imported (${known})`,
  );
}

function look(guard: Guard, target: unknown): readonly Reach[] | undefined {
  for (const { inspect: eye } of shared[inspectorsKey]?.values() ?? []) {
    const found = eye(target, guard);
    if (found !== undefined) return found;
  }
  return inspectPlain(target);
}
