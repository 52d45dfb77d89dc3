import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { approvalDigest } from "@agentkeys/contract";
import { expect, onTestFinished, test } from "vitest";
import type { AuthorityConfig } from "../config/config-schema.ts";
import { loadSettings } from "../config/config.ts";
import { begin, call, decide } from "../testdata/approvals.test-kit.ts";
import { actor, open, operator } from "../testdata/harness.test-kit.ts";

const quorum = { approvers: ["ann", "bob", "cid"], required: 2 };

type Scopes = NonNullable<NonNullable<AuthorityConfig["actors"]>[string]["scopes"]>;

function ruled(scopes: Scopes, data = ":memory:") {
  const config: AuthorityConfig = {
    vendors: { magiclick: { token: "value:demo-tok" } },
    operators: { [operator]: { token: "value:operator-tok" } },
    actors: { [actor]: { operator, vendor: "magiclick", scopes } },
  };
  return open({ config, data });
}

const evidence = { session_id: "s1", commitment_hash: "sha256:ab" };
const deploy = (call_id = "call-1") =>
  call({ call_id, tool: "deploy", scope: "deploy.run", params: {} });

test("whoever is asked learns who decides together, and the digest binds it", async () => {
  const harness = await ruled({ "deploy.run": { quorum } });
  const { verdict, approval } = await begin(harness, deploy());
  expect([verdict, approval.quorum]).toEqual(["ask_parent", quorum]);
  expect(approval.digest).toBe(approvalDigest(approval));
  const weaker = { ...approval, quorum: { ...quorum, required: 1 } };
  expect(approvalDigest(weaker)).not.toBe(approval.digest);
});

test.each([
  ["nothing", undefined],
  ["no session", { ...evidence, session_id: "" }],
  ["no commitment", { session_id: "s1" }],
  ["a number", { ...evidence, session_id: 1 }],
])("nobody approves alone: evidence of %s is refused", async (_, given) => {
  const harness = await ruled({ "deploy.run": { quorum } });
  const { approval } = await begin(harness, deploy());
  expect((await decide(harness, "approve", approval, { fields: { evidence: given } })).status).toBe(
    400,
  );
  expect((await begin(harness, deploy())).approval.status).toBe("pending");
});

test("with the votes it runs once; one person may still deny", async () => {
  const harness = await ruled({ "deploy.run": { quorum } });
  const { approval } = await begin(harness, deploy());
  const decided = await decide(harness, "approve", approval, { fields: { evidence } });
  expect(decided.approval?.decided?.evidence).toEqual(evidence);
  expect((await begin(harness, deploy())).reason).toBe("approved");
  const other = await begin(harness, deploy("call-2"));
  expect((await decide(harness, "deny", other.approval)).status).toBe(200);
});

test("what they decided is not remembered, and what one person had remembered does not hold", async () => {
  const data = mkdtempSync(join(tmpdir(), "agentkeys-"));
  onTestFinished(() => rmSync(data, { recursive: true }));
  const lone = await ruled({ "deploy.run": "ask" }, data);
  const remember = { match: "tool", for: "actor", ttl_seconds: 3600 };
  const { approval } = await begin(lone, deploy());
  expect((await decide(lone, "approve", approval, { fields: { remember } })).status).toBe(200);
  const second = deploy("call-2");
  expect((await begin(lone, second)).reason).toBe("remembered");
  await lone.authority.close();

  const together = await ruled({ "deploy.run": { quorum } }, data);
  const third = deploy("call-3");
  const asked = await begin(together, third);
  expect(asked.verdict).toBe("ask_parent");
  const fields = { evidence, remember };
  expect((await decide(together, "approve", asked.approval, { fields })).status).toBe(400);
});

test("only what is above `ask_above` is theirs; `*` names them for every other scope", async () => {
  const spending = { currency: "RMB", per_call: 500, ask_above: 300, quorum };
  const harness = await ruled({ "payment.spend": spending, "mail.send": "ask", "*": { quorum } });
  expect((await begin(harness, call())).approval.quorum).toEqual(quorum);
  const small = await begin(harness, call({ call_id: "c2", params: { amount_rmb: 300 } }));
  expect(small.verdict).toBe("accept");
  const mail = await begin(harness, call({ call_id: "c3", scope: "mail.send" }));
  expect(mail.approval.quorum).toBeUndefined();
  const other = await begin(harness, call({ call_id: "c4", scope: "deploy.run" }));
  expect(other.approval.quorum).toEqual(quorum);
  const uncertain = { reason: "tool_unknown", explanation: "no row" };
  const unknown = await begin(harness, call({ call_id: "c5", scope: null, uncertain }));
  expect(unknown.approval.quorum).toEqual(quorum);
});

test.each([
  [{ approvers: ["ann"], required: 2 }, "required"],
  [{ approvers: ["ann"], required: 0 }, "required"],
  [{ approvers: [], required: 1 }, "approvers"],
  [{ approvers: ["ann", "Ann"], required: 1 }, "approvers"],
  [{ approvers: ["ann", " ann"], required: 1 }, "approvers.1"],
  [{ approvers: ["ann"] }, "required"],
])("%j is no quorum: %s is told", (given, key) => {
  for (const [scope, rule] of [
    ["deploy.run", { quorum: given }],
    ["payment.spend", { currency: "RMB", per_call: 1, quorum: given }],
  ] as const) {
    const scopes = { [scope]: rule as { quorum: typeof quorum } };
    const config = {
      operators: { [operator]: { token: "value:o" } },
      actors: { [actor]: { operator, scopes } },
    };
    expect(() => loadSettings({ config, env: {} })).toThrow(`["${scope}"].quorum.${key}`);
  }
});
