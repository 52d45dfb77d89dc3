import { createClient, createGuard, type Fetch } from "@agentkeys/core";
import { createAuthority } from "@agentkeys/server";
import { authorityOptions, identity } from "./identity.ts";
import { type Order, order, row, tool } from "./order.ts";

/** A request as our own client makes it, and the length of the answer it got. */
export interface Exchange {
  readonly headers: Readonly<Record<string, string>>;
  /** `unique` stands where each request has an id of its own. */
  readonly body: string;
  readonly answerBytes: number;
}

/** Of the length of the UUID that it stands for. */
export const unique = "#".repeat(36);

/** One real request of each kind that the authority is loaded with. */
export async function recordExchanges(): Promise<Record<"begin" | "check" | "append", Exchange>> {
  await using authority = await createAuthority({ data: ":memory:", ...authorityOptions });
  const recorded: Exchange[] = [];
  const fetch: Fetch = async (url, init) => {
    const answer = await authority.fetch(url, init);
    const text = await answer.clone().text();
    if (text.includes('"error"')) throw new Error(`the authority refused: ${text}`);
    recorded.push({
      headers: init.headers as Record<string, string>,
      body: withoutIds(init.body as string),
      answerBytes: Buffer.byteLength(text),
    });
    return answer;
  };
  await using client = createClient({ ...identity, fetch });
  const guard = createGuard<{ [tool.name]: Order }>({ client, tools: { [tool.name]: row } });
  await guard.run({ tool: tool.name, input: order, callId: "call-1" }, () => "ordered");
  await client.permission.check({ scope: row.scope, params: { amount_rmb: order.price } });
  await client.audit.append({
    event: { op_kind: 11, result: 0, intent_text: "read the travel note" },
  });
  const [begin, , check, append] = recorded;
  if (!begin || !check || !append) throw new Error("expected four requests");
  return { begin, check, append };
}

function withoutIds(body: string): string {
  return body.replace(/(?<="begin_id":")[0-9a-f-]{36}(?=")/, unique);
}
