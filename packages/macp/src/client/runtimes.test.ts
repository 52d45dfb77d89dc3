import { afterAll, beforeAll, describe } from "vitest";
import { createMacpClient as createGrpcClient } from "../grpc.ts";
import { createRuntime, type Runtime } from "../runtime/create-runtime.ts";
import { describeClient } from "./client.suite.ts";
import { createMacpClient } from "./client.ts";

let runtime: Runtime;
let target: string;

beforeAll(async () => {
  runtime = createRuntime();
  ({ target } = await runtime.listen({ allowInsecure: true }));
});
afterAll(async () => runtime.close());

describe("in process", () =>
  describeClient(async (settings) => createMacpClient({ ...settings, runtime })));
describe("over gRPC", () =>
  describeClient(async (settings) =>
    createGrpcClient({ ...settings, target, allowInsecure: true }),
  ));
