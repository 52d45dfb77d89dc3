import { afterAll, beforeAll, describe } from "vitest";
import { createMacpClient } from "../client/client.ts";
import { createMacpClient as createOverGrpc } from "../grpc.ts";
import { createRuntime } from "../runtime/create-runtime.ts";
import { describeHistories } from "./histories.suite.ts";
import { describeSessions } from "./sessions.suite.ts";

const runtime = createRuntime();
let target = "";
beforeAll(async () => {
  ({ target } = await runtime.listen({ allowInsecure: true }));
});
afterAll(async () => runtime.close());

describe("in process", () => {
  describeSessions(async (settings) => createMacpClient({ ...settings, runtime }));
  describeHistories(async (settings) => createMacpClient({ ...settings, runtime }), { runs: 40 });
});

describe("over gRPC", () => {
  const connect = async (settings: object) =>
    createOverGrpc({ ...settings, target, allowInsecure: true });
  describeSessions(connect);
  describeHistories(connect, { runs: 4 });
});
