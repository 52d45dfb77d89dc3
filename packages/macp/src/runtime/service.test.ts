import { afterAll, beforeAll, describe } from "vitest";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import type { Transport } from "../client/transport.ts";
import { createRuntime, type Runtime } from "./create-runtime.ts";
import { describeService } from "./service.suite.ts";

let runtime: Runtime;
let grpc: Transport;
let local: Transport;

beforeAll(async () => {
  runtime = createRuntime();
  const { target } = await runtime.listen({ allowInsecure: true });
  grpc = createGrpcTransport({ target, allowInsecure: true });
  local = runtime.connect();
});

afterAll(async () => {
  await local.close();
  await grpc.close();
  await runtime.close();
});

describe("in process", () => describeService(async () => local.calls));
describe("over gRPC", () => describeService(async () => grpc.calls));
