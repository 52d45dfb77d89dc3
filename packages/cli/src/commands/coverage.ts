import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { AgentKeysError, type Coverage, type Guard } from "@agentkeys/core";
import pc from "picocolors";
import { UsageError } from "../exit-code.ts";
import { printable } from "../printable.ts";

interface CoverageFlags {
  json?: true;
  strict?: true;
}

const governed = new Set(["guarded", "agentkeys"]);

/** `MODULE` exports `guard` and `agents`: one agent, its configuration or its tools, or a list or an object of such. */
export async function coverage(module: string, flags: CoverageFlags): Promise<void> {
  const { guard, agents } = await load(module);
  const { tools, unused } = await coverageOf(guard, agents);
  const open = tools.filter(({ how }) => !governed.has(how));
  if (flags.json) process.stdout.write(`${JSON.stringify({ tools, unused })}\n`);
  else process.stdout.write(tableOf({ tools, unused }));
  if (flags.strict && (open.length > 0 || unused.length > 0)) {
    const names = [...open.map(({ path }) => path), ...unused];
    throw new AgentKeysError("config_invalid", `not governed or unused: ${names.join(", ")}`);
  }
}

async function coverageOf(guard: Guard, agents: unknown): Promise<Coverage> {
  try {
    return await guard.coverage(agents);
  } catch (error) {
    const many = Object.entries(Object(agents) as object);
    const { prototype } = Object;
    if (!Array.isArray(agents) && Object.getPrototypeOf(agents) !== prototype) throw error;
    if (many.length === 0) throw error;
    const each = await Promise.all(many.map(async ([, agent]) => guard.coverage(agent)));
    const [first, ...others] = each.map(({ unused }) => unused);
    return {
      tools: each.flatMap(({ tools }, i) =>
        tools.map((tool) => ({ ...tool, path: `${many[i]?.[0]}.${tool.path}` })),
      ),
      // What one agent has no use for, another may have.
      unused: (first ?? []).filter((row) => others.every((unused) => unused.includes(row))),
    };
  }
}

async function load(module: string): Promise<{ guard: Guard; agents: unknown }> {
  const url = pathToFileURL(resolve(module)).href;
  let loaded: Partial<{ guard: Guard; agents: unknown }>;
  try {
    loaded = (await import(url)) as typeof loaded;
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new AgentKeysError("config_invalid", `${module} cannot be loaded: ${why}`, { cause });
  }
  const { guard, agents } = loaded;
  if (typeof guard?.coverage !== "function" || agents === undefined) {
    throw new UsageError(`${module}: expected exports named guard and agents`);
  }
  return { guard, agents };
}

function tableOf({ tools, unused }: Coverage): string {
  const width = Math.max(...tools.map(({ how }) => how.length), 0);
  const lines = tools.map(({ how, name, path }) => {
    const word = how.padEnd(width);
    return `${governed.has(how) ? pc.green(word) : pc.red(word)}  ${printable(name)}  ${pc.dim(printable(path))}`;
  });
  const idle = unused.map((name) => `${pc.yellow("unused row")}  ${printable(name)}`);
  return [...lines, ...idle, ""].join("\n");
}
