import { Client, credentials as channel, Metadata, type ServiceError } from "@grpc/grpc-js";
import { once } from "node:events";
import { connect as connectHttp2 } from "node:http2";
import { connect as connectTls } from "node:tls";
import { describe, expect, onTestFinished, test } from "vitest";
import { create } from "@bufbuild/protobuf";
import { InitializeRequestSchema } from "../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../protocol/error-codes.ts";
import { statusOf } from "../protocol/refusal.ts";
import { createGrpcTransport } from "../transports/grpc-transport.ts";
import { createRuntime, type RuntimeOptions } from "./create-runtime.ts";
import { createHealth } from "./grpc/health.ts";
import type { StreamMethod } from "./grpc/methods.ts";
import { selfSigned } from "../transports/certificate.test-kit.ts";

function runtimeOf(options: RuntimeOptions = {}) {
  const runtime = createRuntime(options);
  onTestFinished(async () => runtime.close());
  return runtime;
}

const tokens = [{ token: "t", sender: "alice" }];

describe("listening unsafely is refused", () => {
  test.each([
    ["everybody could be anybody", {}, {}, "no authentication configured"],
    ["the same under TLS", {}, { tls: selfSigned() }, "no authentication configured"],
    ["tokens in the clear", { auth: { tokens } }, {}, "TLS is required"],
  ])("%s", async (_, options, { tls }: { tls?: ReturnType<typeof selfSigned> }, text) => {
    const listening = runtimeOf(options).listen(tls === undefined ? {} : { tls });
    await expect(listening).rejects.toMatchObject({ code: "config_invalid", message: text });
  });
});

test("closing the runtime closes the port", async () => {
  const runtime = createRuntime();
  const { port } = await runtime.listen({ allowInsecure: true });
  await runtime.close();
  const again = await runtimeOf().listen({ allowInsecure: true, port });
  expect(again.port).toBe(port);
});

test("mutual TLS: who shows no certificate does not get in", async () => {
  const { cert, key } = selfSigned();
  const runtime = runtimeOf({ auth: { tokens } });
  const { port } = await runtime.listen({ tls: { cert, key, clientCa: cert } });
  const request = create(InitializeRequestSchema, { supportedProtocolVersions: ["1.0"] });
  const initialize = async (tls: object) => {
    const transport = createGrpcTransport({
      target: `localhost:${port}`,
      tls: { ca: cert, ...tls },
    });
    onTestFinished(async () => transport.close());
    return transport.calls.initialize(request, { timeoutMs: 5_000 });
  };
  expect((await initialize({ cert, key })).selectedProtocolVersion).toBe("1.0");
  await expect(initialize({})).rejects.toSatisfy(
    (error) => statusOf(error) === grpcStatus.UNAVAILABLE,
  );
});

test("a TLS client that names no protocol is served", async () => {
  const { cert, key } = selfSigned();
  const { port } = await runtimeOf({ auth: { tokens } }).listen({ tls: { cert, key } });
  const session = connectHttp2(`https://localhost:${port}`, {
    createConnection: () => connectTls({ port, host: "localhost", ca: cert }),
  });
  onTestFinished(() => session.destroy());
  const stream = session.request({ ":method": "POST", "content-type": "application/grpc" });
  const [headers] = (await once(stream, "response")) as [Record<string, unknown>];
  expect(headers).toMatchObject({ ":status": 200, "grpc-status": "12" });
});

test("policies that are there from the start stay as they are", async () => {
  const policies = [{ policyId: "p.one", mode: "*", rules: {} }];
  const { kernel } = runtimeOf({ policies });
  expect(kernel.policies.get("p.one")).toMatchObject({ schemaVersion: 2, rules: "{}" });
  const broken = [{ policyId: "p.one", mode: "*", rules: "[]" }];
  expect(() => createRuntime({ policies: broken })).toThrow("policy 'p.one': ");
});

describe("health", () => {
  const client = async () => {
    const { target } = await runtimeOf().listen({ allowInsecure: true });
    const connection = new Client(target, channel.createInsecure());
    onTestFinished(() => connection.close());
    return connection;
  };
  const name = (service: string) =>
    Buffer.concat([Buffer.from([0x0a, service.length]), Buffer.from(service)]);

  const statusIn = (bytes: Buffer): number => bytes[1] ?? 0;

  const check = async (service: string) => {
    const connection = await client();
    return new Promise<number | undefined>((resolve, reject) => {
      const answered = (error: ServiceError | null, value?: number): void =>
        error === null ? resolve(value) : reject(error);
      connection.makeUnaryRequest(
        "/grpc.health.v1.Health/Check",
        name,
        statusIn,
        service,
        new Metadata(),
        answered,
      );
    });
  };

  test.each(["", "macp.v1.MACPRuntimeService"])("%j is serving", async (service) => {
    expect(await check(service)).toBe(1);
  });

  test("another service is not known", async () => {
    await expect(check("other.v1.Service")).rejects.toMatchObject({ code: 5 });
  });

  test("who watches is told of the end", async () => {
    const health = createHealth();
    const told: unknown[] = [];
    const watch = health.methods.get("/grpc.health.v1.Health/Watch") as StreamMethod;
    const down = {
      write: (value: unknown) => told.push(value) > 0,
      ready: () => {},
      end: () => {},
      fail: () => {},
      onDrain: () => {},
      onClose: () => {},
    };
    void watch.handler("", {}, down);
    health.stop();
    expect(told).toEqual([1, 2]);
  });

  test("a watch over the wire begins with the present", async () => {
    const connection = await client();
    const stream = connection.makeServerStreamRequest(
      "/grpc.health.v1.Health/Watch",
      name,
      statusIn,
      "other",
      new Metadata(),
    );
    stream.on("error", () => {});
    for await (const value of stream) {
      expect(value).toBe(3);
      break;
    }
    expect.hasAssertions();
  });
});

test("a method that is not there is UNIMPLEMENTED", async () => {
  const { target } = await runtimeOf().listen({ allowInsecure: true });
  const connection = new Client(target, channel.createInsecure());
  onTestFinished(() => connection.close());
  const path = "/macp.v1.MACPRuntimeService/WhatIfReplay";
  const none = (): Buffer => Buffer.alloc(0);
  const error = await new Promise<ServiceError | null>((resolve) => {
    connection.makeUnaryRequest(path, none, none, undefined, new Metadata(), (failed) =>
      resolve(failed),
    );
  });
  expect(error?.code).toBe(12);
});
