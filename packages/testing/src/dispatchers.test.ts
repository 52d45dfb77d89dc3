// #region dispatchers
import { type Classify, createGuard } from "@agentkeys/core";
// #endregion
import { expect, test } from "vitest";
import { mockAuthority } from "./mock-authority.ts";
import "./vitest.ts";

// #region dispatchers
/** What each of these tools may do, whole: a pattern that ends before the text does lets everything follow. */
const actions: Record<string, readonly (readonly [RegExp, string])[]> = {
  shell: [
    [/^git status$/, "repo.read"],
    [/^git log -\d+$/, "repo.read"],
    [/^git push origin [a-z]+$/, "repo.push"],
  ],
  http: [
    [/^GET https:\/\/api\.shop\.example\/[\w/]*$/, "shop.read"],
    [/^POST https:\/\/api\.shop\.example\/orders$/, "shop.order"],
  ],
  sql: [
    [/^select [\w, ]+ from (orders|dishes) where id = \$1$/, "shop.read"],
    [/^update dishes set stock = \$1 where id = \$2$/, "stock.write"],
  ],
};

/** Where the action stands in the input. */
const fields: Record<string, readonly string[]> = {
  shell: ["command"],
  http: ["method", "url"],
  sql: ["query"],
};

/** The inner action, by a scope of its own. No pattern, no row: denied. */
const classify: Classify = ({ tool, input }) => {
  const words = (fields[tool] ?? []).map((field) => input[field]);
  if (!words.every((word) => typeof word === "string")) return undefined;
  const action = words.join(" ");
  const found = actions[tool]?.find(([pattern]) => pattern.test(action));
  return found && { scope: found[1], params: () => ({ action }) };
};
// #endregion

const ran: unknown[] = [];

async function scene() {
  ran.length = 0;
  const authority = await mockAuthority({ deny: ["repo.push"] });
  const client = authority.client();
  // #region dispatchers
  const guard = createGuard({ client, tools: {}, classify });
  // #endregion
  const call = async (tool: string, input: object): Promise<string> => {
    const said = await guard.run({ tool, input }, (given) => void ran.push(given));
    return said.status === "ran" ? "ran" : said.reason;
  };
  return { authority, call, [Symbol.asyncDispose]: () => authority.close() };
}

test("an inner action is decided on by its own scope", async () => {
  await using at = await scene();
  const { authority, call } = at;
  expect(await call("shell", { command: "git log -3" })).toBe("ran");
  expect(await call("http", { method: "POST", url: "https://api.shop.example/orders" })).toBe(
    "ran",
  );
  expect(await call("sql", { query: "select id, name from dishes where id = $1" })).toBe("ran");
  expect(await call("shell", { command: "git push origin main" })).toBe("scope_forbidden");
  expect(ran).toHaveLength(3);
  expect(authority).toHaveRecorded({ tool: "http", scope: "shop.order", verdict: "accept" });
  expect(authority).toHaveDenied({ tool: "shell", scope: "repo.push" });
});

const unmapped: readonly (readonly [string, object])[] = [
  ["shell", { command: "git status; rm -rf /" }],
  ["shell", { command: "git status\nrm -rf /" }],
  ["shell", { command: "git log -3 --output=/etc/passwd" }],
  ["shell", { command: "git push origin +main" }],
  ["shell", { command: "$(git status)" }],
  ["shell", { command: ["git status"] }],
  ["shell", {}],
  ["http", { method: "DELETE", url: "https://api.shop.example/orders" }],
  ["http", { method: "GET", url: "http://api.shop.example/" }],
  ["http", { method: "GET", url: "https://api.shop.example.evil.example/" }],
  ["http", { method: "GET", url: "https://api.shop.example@evil.example/" }],
  ["http", { method: "GET", url: "https://api.shop.example/../admin" }],
  ["sql", { query: "select id from orders where id = $1; drop table orders" }],
  ["sql", { query: "select id from orders where id = $1 union select key from secrets" }],
  ["sql", { query: "delete from orders" }],
  ["constructor", { command: "git status" }],
  ["ssh", { command: "git status" }],
];

test.each(unmapped)("%s: nothing maps %j", async (tool, input) => {
  await using at = await scene();
  const reason = await at.call(tool, input);
  expect(["unmapped_tool", "mapping_failed"]).toContain(reason);
  expect(ran).toEqual([]);
});
