import { addAbortSignal } from "node:stream";
import { text } from "node:stream/consumers";
import { JsonFloat, parseJson, stringifyJson } from "@agentkeys/contract";
import type { WireValue } from "@agentkeys/contract";
import { type Client, createClient } from "@agentkeys/core";

/** From the start of the process: below the five seconds after which hosts give up on a hook and go on. */
const timeoutMs = 4000;

const deadlineNow = (): AbortSignal =>
  AbortSignal.timeout(Math.max(0, Math.floor(timeoutMs - process.uptime() * 1000)));

/** Appended by `hook audit`: what a coding agent reports of a finished tool. */
const hookToolResult = 239;

type Hook = Readonly<Record<string, WireValue>>;

function isObject(value: WireValue | undefined): value is Record<string, WireValue> {
  return (
    typeof value === "object" &&
    value !== null &&
    !Array.isArray(value) &&
    !(value instanceof JsonFloat)
  );
}

async function readHook(deadline: AbortSignal): Promise<Hook> {
  const hook = parseJson(await text(addAbortSignal(deadline, process.stdin)));
  if (!isObject(hook)) throw new SyntaxError("expected a JSON object on stdin");
  return hook;
}

/** In every Node.js since 22; the library's types do not know it yet. */
const { rawJSON } = JSON as unknown as { rawJSON(text: string): unknown };

/** Numbers travel as they were written: 600.0 stays 600.0. */
function verbatim(value: WireValue): unknown {
  if (typeof value === "bigint" || value instanceof JsonFloat) return rawJSON(stringifyJson(value));
  if (Array.isArray(value)) return value.map(verbatim);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, v]) => [key, verbatim(v)]));
}

function write(answer: object): void {
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}

function block(reason: string): void {
  write({ decision: "block", reason });
}

function messageOf(error: unknown, deadline?: AbortSignal): string {
  if (deadline?.aborted) return `not done within ${timeoutMs} ms`;
  return error instanceof Error ? error.message : "unknown";
}

async function withClient<T>(use: (client: Client) => Promise<T>): Promise<T> {
  const client = createClient({ timeoutMs });
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

/** Whatever goes wrong blocks, and exits 0: a host takes any other exit code for "go on". */
export async function hookCheck({ scope }: { scope?: string }): Promise<void> {
  const deadline = deadlineNow();
  try {
    if (scope === undefined) return block("missing_scope: pass --scope, for example payment.spend");
    const { tool_input: input } = await readHook(deadline);
    const params = isObject(input) ? (verbatim(input) as Record<string, unknown>) : {};
    const { verdict, reason, explanation } = await withClient(({ permission }) =>
      permission.check({ scope, params }, { signal: deadline }),
    );
    if (verdict === "accept") return write({});
    block(explanation ? `${reason || "denied"}: ${explanation}` : reason || "denied");
  } catch (error) {
    block(`agentkeys_unreachable: ${messageOf(error, deadline)}`);
  }
}

/** Never blocks: the tool has run. What it was given stays out of the record. */
export async function hookAudit(): Promise<void> {
  const deadline = deadlineNow();
  try {
    const hook = await readHook(deadline);
    const response = hook["tool_response"];
    const isError = isObject(response) && response["is_error"] === true;
    const event = {
      op_kind: hookToolResult,
      op_body: {
        tool: hook["tool_name"],
        call_id: hook["tool_use_id"] ?? null,
        is_error: isError,
      },
      result: isError ? (1 as const) : (0 as const),
    };
    await withClient(({ audit }) => audit.append({ event }, { signal: deadline }));
  } catch (error) {
    process.stderr.write(`agentkeys: not recorded: ${messageOf(error, deadline)}\n`);
  }
  write({});
}

/** The answer to a hook command that could not even be parsed. */
export function brokenHook(name: string | undefined, error: unknown): void {
  if (name === "audit") write({});
  else
    block(
      `agentkeys_unreachable: ${name === undefined ? "expected check or audit" : messageOf(error)}`,
    );
}
