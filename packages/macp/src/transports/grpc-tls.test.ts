import { create } from "@bufbuild/protobuf";
import { AgentKeysError } from "@agentkeys/contract";
import { ServerCredentials } from "@grpc/grpc-js";
import { expect, test } from "vitest";
import { ListRootsRequestSchema, ListRootsResponseSchema } from "../generated/macp/v1/core_pb.ts";
import { type Certificate, selfSigned } from "./certificate.test-kit.ts";
import type { TlsOptions } from "./grpc-channel.ts";
import { scriptedRuntime } from "./grpc-server.test-kit.ts";
import { createGrpcTransport } from "./grpc-transport.ts";

const server = selfSigned();
const client = selfSigned("alice");

function runtime(clients?: Certificate) {
  const pair = [{ cert_chain: Buffer.from(server.cert), private_key: Buffer.from(server.key) }];
  const roots = clients === undefined ? null : Buffer.from(clients.cert);
  return scriptedRuntime(
    {
      listRoots: (_, answer) =>
        answer(null, create(ListRootsResponseSchema, { roots: [{ uri: "file:///a" }] })),
    },
    { credentials: ServerCredentials.createSsl(roots, pair, clients !== undefined) },
  );
}

async function listRoots(target: string, tls: TlsOptions): Promise<readonly string[]> {
  const transport = createGrpcTransport({ target, tls });
  try {
    const call = { timeoutMs: 5000 };
    const answer = await transport.calls.listRoots(create(ListRootsRequestSchema), call);
    return answer.roots.map(({ uri }) => uri);
  } finally {
    await transport.close();
  }
}

const unavailable = (error: unknown): boolean => AgentKeysError.is(error, "authority_unavailable");

test("TLS with a given authority; the name on the certificate can be given too", async () => {
  await using served = await runtime();
  const local = served.target.replace("127.0.0.1", "localhost");
  expect(await listRoots(local, { ca: server.cert })).toEqual(["file:///a"]);
  const named = { ca: Buffer.from(server.cert), serverName: "localhost" };
  expect(await listRoots(served.target, named)).toEqual(["file:///a"]);
});

test("a certificate of an unknown authority, or for another name, is refused", async () => {
  await using served = await runtime();
  const local = served.target.replace("127.0.0.1", "localhost");
  await expect(listRoots(local, {})).rejects.toSatisfy(unavailable);
  await expect(listRoots(local, { ca: server.cert, serverName: "elsewhere" })).rejects.toSatisfy(
    unavailable,
  );
});

test("mutual TLS: the client's certificate opens the door, none does not", async () => {
  await using served = await runtime(client);
  const local = served.target.replace("127.0.0.1", "localhost");
  const { cert, key } = client;
  expect(await listRoots(local, { ca: server.cert, cert, key })).toEqual(["file:///a"]);
  await expect(listRoots(local, { ca: server.cert })).rejects.toSatisfy(unavailable);
});
