import { createRuntime } from "@agentkeys/macp/runtime";
import { expect, onTestFinished, test, vi } from "vitest";
// #region join
import { createMacpClient, devAgent } from "@agentkeys/macp/grpc";
// #endregion
// #region tls
import { bearer } from "@agentkeys/macp/grpc";
// #endregion

test("joining over gRPC", async () => {
  const lines: unknown[] = [];
  vi.spyOn(console, "log").mockImplementation((...line: unknown[]) => void lines.push(...line));
  onTestFinished(() => void vi.restoreAllMocks());
  await using runtime = createRuntime();
  const { target } = await runtime.listen({ allowInsecure: true });
  await using client = createMacpClient({
    target,
    allowInsecure: true,
    auth: devAgent("coordinator"),
  });
  await using theirs = await client.quorum.start({
    participants: ["coordinator", "alice"],
    ttlMs: 60_000,
  });
  const { id: sessionId } = theirs;
  await theirs.requestApproval("r1", "deploy v2.1", { requiredApprovals: 2 });
  const listening = (async () => {
    // #region join

    await using alice = createMacpClient({ target, allowInsecure: true, auth: devAgent("alice") });
    await using session = await alice.quorum.join(sessionId); // the history is in the projection

    const request = session.projection.state.request;
    if (request) await session.approve(request.requestId, { reason: "looks good" });

    await session.until((projection) => projection.hasQuorum()); // now, or after a message
    for await (const { messageType, sender } of session.messages()) {
      console.log(messageType, sender); // SessionStart coordinator, and so on until it is over
    }
    // #endregion
  })();
  await theirs.until(({ state }) => state.ballots.has("alice"));
  await theirs.approve("r1");
  const outcome = { authorityScope: "releases", reason: "2 of 2" };
  await theirs.commit({ action: "deploy.approved", ...outcome });
  await listening;
  expect(lines.filter((_, index) => index % 2 === 0)).toEqual([
    "SessionStart",
    "ApprovalRequest",
    "Approve",
    "Approve",
    "Commitment",
  ]);
});

test("TLS and tokens are what a client uses unless told otherwise", async () => {
  // #region tls

  await using client = createMacpClient({
    target: "macp.example.com:443",
    auth: bearer(process.env["MACP_TOKEN"] ?? "none", { expectedSender: "coordinator" }),
    tls: { ca: process.env["MACP_CA_PEM"] },
  });
  // #endregion
  expect(client.auth?.expectedSender).toBe("coordinator");
});
