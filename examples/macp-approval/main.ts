// An agent wants to deploy. The policy names three people, two of whom must approve: their votes, and nobody's click, are the grant.
import assert from "node:assert/strict";
import { createClient, createGuard, createOperator } from "@agentkeys/core";
import { bearer, createMacpClient } from "@agentkeys/macp";
// #region bridge
import { createApprovalBridge } from "@agentkeys/macp/approvals";
// #endregion
import { createRuntime } from "@agentkeys/macp/runtime";
import { createAuthority } from "@agentkeys/server";

const operatorOmni = `0x${"07".repeat(32)}`;
const actor = `0x${"a0".repeat(32)}`;

await using authority = await createAuthority({
  data: ":memory:",
  env: { VENDOR_TOKEN: "approval-vendor", OPERATOR_TOKEN: "approval-operator" },
  config: {
    vendors: { ops: { token: "env:VENDOR_TOKEN" } },
    operators: { [operatorOmni]: { token: "env:OPERATOR_TOKEN" } },
    actors: {
      [actor]: {
        operator: operatorOmni,
        vendor: "ops",
        scopes: { "deploy.run": { quorum: { approvers: ["ann", "bob", "cid"], required: 2 } } },
      },
    },
  },
});

// Each person has a token of their own: the runtime knows who votes.
const tokens = Object.fromEntries(
  ["bridge", "ann", "bob", "cid", "agent"].map((name) => [name, `token-of-${name}`]),
);
const runtime = createRuntime({
  auth: {
    tokens: Object.entries(tokens).map(([sender, token]) => ({
      sender,
      token,
      can_start_sessions: sender === "bridge" || sender === "agent",
    })),
  },
});
await using _runtime = runtime;
const connect = (name: string) =>
  createMacpClient({
    runtime,
    auth: bearer(tokens[name] ?? "", { expectedSender: name }),
  });

// The bridge has the operator's token. Agents never do.
await using operator = createOperator({ fetch: authority.fetch, token: "approval-operator" });
await using macp = connect("bridge");
const stop = new AbortController();
const { signal } = stop;
// #region bridge

const bridge = createApprovalBridge({ client: macp, operator }); // beside the operator, never beside the agent
const bridging = bridge.run({ signal }); // a vote on every approval that names a quorum
// #endregion

// The people: told of a session by the runtime, they read what is asked and vote.
const minds: Record<string, (text: string) => "approve" | "reject"> = {
  ann: (text) => (text.includes("staging") ? "approve" : "reject"),
  bob: () => "approve",
  cid: () => "reject",
};
const people = Object.entries(minds).map(async ([name, mind]) => {
  await using client = connect(name);
  for await (const { type, session: found } of client.watchSessions({ signal })) {
    if (type !== "CREATED" || !found.participants.includes(name)) continue;
    await using session = await client.quorum.join(found.sessionId);
    const request = await session.until(({ state }) => state.request);
    const ballot = mind(request.summary);
    if (request.summary.includes("the moon")) continue; // nobody answers
    // The others may have settled it already.
    await session[ballot](request.requestId).catch(() => undefined);
  }
});

// The agent: its guarded tool waits for the answer.
await using client = createClient({
  fetch: authority.fetch,
  token: "approval-vendor",
  actor,
  operator: operatorOmni,
  deviceKeyHash: `0x${"de".repeat(32)}`,
});
const deployed: string[] = [];
const guard = createGuard<{ deploy: { target: string } }>({
  client,
  tools: {
    deploy: {
      scope: "deploy.run",
      record: ["target"],
      describe: ({ target }) => `Deploy build 42 to ${target}`,
    },
  },
  approval: { waitMs: 10_000 },
});
const deploy = (target: string, callId: string, end?: AbortSignal) =>
  guard.run(
    { tool: "deploy", input: { target }, callId, runKey: "release-42", signal: end },
    () => {
      deployed.push(target);
      return `deployed to ${target}`;
    },
  );

const staging = await deploy("staging", "call-1");
assert.equal(staging.status, "ran");
const [approved] = await operator.approvals.list({ status: "approved" });
assert.deepEqual(approved?.decided?.by?.split(", ").toSorted(), ["ann", "bob"]);
const evidence = JSON.stringify(approved.decided.evidence);
assert.match(evidence, /"commitment_hash":"sha256:[0-9a-f]{64}"/);
console.log(`staging: ${approved.decided.reason} ${evidence}`);

const production = await deploy("production", "call-2");
assert.equal(production.status, "denied");
console.log(`production: ${production.message}`);

// The very same call again: the grant was for one run.
assert.deepEqual(await deploy("staging", "call-1"), { ...staging, replayed: true });
assert.deepEqual(deployed, ["staging"]);

// A quorum that the agent makes itself, in its own session, with its own friends, is nobody's.
await using agent = connect("agent");
const impatient = new AbortController();
const waiting = deploy("the moon", "call-3", impatient.signal);
for await (const { id, digest, status } of operator.approvals.watch()) {
  assert.equal(status, "pending");
  await using own = await agent.quorum.start({ participants: ["agent"], ttlMs: 60_000 });
  await own.requestApproval(id, "deploy", { requiredApprovals: 1, details: digest });
  await own.approve(id);
  await own.commit({ action: "deploy.approved", authorityScope: "deploy", reason: "we all agree" });
  assert.equal(own.projection.isPositiveOutcome, true);
  assert.equal((await operator.approvals.list({ status: "pending" })).length, 1);
  break;
}
impatient.abort();
assert.notEqual((await waiting).status, "ran");
assert.deepEqual(deployed, ["staging"]);
console.log("the moon: the agent's own quorum counts for nothing");

stop.abort();
await bridging;
await Promise.allSettled(people);
