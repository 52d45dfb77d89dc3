import { once } from "node:events";
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect as connectHttp2,
  constants,
} from "node:http2";
import { connect } from "node:net";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import { InitializeRequestSchema } from "../../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { createRuntime } from "../create-runtime.ts";

const service = "/macp.v1.MACPRuntimeService";
const hello = toBinary(
  InitializeRequestSchema,
  create(InitializeRequestSchema, { supportedProtocolVersions: ["1.0"] }),
);

/** A message with what stands before it. */
function framed(message: Uint8Array, flag = 0, length = message.length): Buffer {
  const prefix = Buffer.of(flag, 0, 0, 0, 0);
  prefix.writeUInt32BE(length, 1);
  return Buffer.concat([prefix, message]);
}

let port = 0;
beforeEach(async () => {
  const runtime = createRuntime();
  onTestFinished(async () => runtime.close());
  port = (await runtime.listen({ allowInsecure: true })).port;
});

function session(): ClientHttp2Session {
  const opened = connectHttp2(`http://127.0.0.1:${port}`);
  opened.on("error", () => {});
  onTestFinished(() => opened.destroy());
  return opened;
}

/** `once` would reject with the error that a broken stream ends with. */
const closed = async (stream: ClientHttp2Stream): Promise<void> =>
  new Promise((resolve) => stream.once("close", resolve));

interface Sent {
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly parts?: readonly Uint8Array[];
}

/** What a request is answered with: the HTTP status, and gRPC's where it has one. */
async function answer({ path = `${service}/Initialize`, headers = {}, parts = [] }: Sent) {
  const stream = session().request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    ...headers,
  });
  let [status, grpc]: (number | undefined)[] = [undefined, undefined];
  const read = (fields: Readonly<Record<string, unknown>>): void => {
    status ??= Number(fields[":status"]);
    if (fields["grpc-status"] !== undefined) grpc = Number(fields["grpc-status"]);
  };
  stream
    .on("response", read)
    .on("trailers", read)
    .on("error", () => {})
    .resume();
  for (const part of parts) stream.write(part);
  stream.end();
  await closed(stream);
  return { status, grpc };
}

const { OK, INTERNAL, OUT_OF_RANGE, UNIMPLEMENTED, DEADLINE_EXCEEDED } = grpcStatus;
const whole = framed(hello);

test.each<[string, number, Sent]>([
  ["a message", OK, { parts: [whole] }],
  ["a message byte by byte", OK, { parts: Array.from(whole, (byte) => Buffer.of(byte)) }],
  [
    "with the codec's name",
    OK,
    { headers: { "content-type": "application/grpc+proto" }, parts: [whole] },
  ],
  ["a second message, which nobody reads", OK, { parts: [whole, framed(Buffer.of(0xff))] }],
  ["no message", INTERNAL, {}],
  ["less than a prefix", INTERNAL, { parts: [whole.subarray(0, 3)] }],
  ["a message that is cut off", INTERNAL, { parts: [whole.subarray(0, -1)] }],
  ["a message that is longer than it says", INTERNAL, { parts: [framed(hello, 0, 2)] }],
  ["a length above the limit", OUT_OF_RANGE, { parts: [framed(hello, 0, 0xffff_ffff)] }],
  ["marked as compressed", INTERNAL, { parts: [framed(hello, 1)] }],
  ["an unknown mark", INTERNAL, { parts: [framed(hello, 2)] }],
  ["no protobuf", INTERNAL, { parts: [framed(Buffer.of(0xff))] }],
  ["text that is no UTF-8", INTERNAL, { parts: [framed(Buffer.of(0x0a, 2, 0xff, 0xfe))] }],
  [
    "gzip",
    UNIMPLEMENTED,
    { headers: { "grpc-encoding": "gzip" }, parts: [framed(gzipSync(hello), 1)] },
  ],
  ["an unknown method", UNIMPLEMENTED, { path: `${service}/Nope`, parts: [whole] }],
  ["an unknown service", UNIMPLEMENTED, { path: "/a.B/C", parts: [whole] }],
  ["a timeout that cannot be read", OK, { headers: { "grpc-timeout": "soon" }, parts: [whole] }],
])("%s: status %i", async (_, grpc, sent) => {
  expect(await answer(sent)).toEqual({ status: 200, grpc });
});

test.each([
  ["GET", 405, { ":method": "GET" }],
  ["another content type", 415, { "content-type": "application/json" }],
])("%s is no gRPC: HTTP %i", async (_, status, headers) => {
  expect(await answer({ headers })).toEqual({ status, grpc: undefined });
});

describe("a client's timeout ends its stream", () => {
  const watch = (timeout: string) => ({
    path: `${service}/WatchRoots`,
    headers: { "grpc-timeout": timeout },
    parts: [framed(Buffer.alloc(0))],
  });

  test("after its time", async () => {
    expect(await answer(watch("50m"))).toEqual({ status: 200, grpc: DEADLINE_EXCEEDED });
  });

  test("and not before: a month is more than a timer counts", async () => {
    const month = answer(watch("2592000S"));
    await answer(watch("50m"));
    expect(await Promise.race([month, Promise.resolve("still open")])).toBe("still open");
  });
});

describe("whatever a client does, others are served", () => {
  const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
  const frame = (type: number, flags: number, stream: number, payload: Uint8Array): Buffer => {
    const head = Buffer.alloc(9);
    head.writeUIntBE(payload.length, 0, 3);
    head.writeUInt8(type, 3);
    head.writeUInt8(flags, 4);
    head.writeUInt32BE(stream, 5);
    return Buffer.concat([head, payload]);
  };
  const [headersFrame, resetFrame, settingsFrame] = [1, 3, 4];
  const settings = frame(settingsFrame, 0, 0, Buffer.alloc(0));
  /** `:method` GET, `:scheme` http, `:path` /, `:authority` x. */
  const get = Buffer.of(0x82, 0x86, 0x84, 0x41, 1, 0x78);
  const open = frame(headersFrame, 4, 1, get);

  test.each<[string, readonly Buffer[]]>([
    ["no HTTP", [Buffer.from("GET / HTTP/1.1\r\n\r\n")]],
    [
      "a header block that cannot be read",
      [preface, settings, open, frame(headersFrame, 4, 3, Buffer.alloc(20, 0xff))],
    ],
    [
      "a frame above the limit",
      [preface, settings, open, frame(headersFrame, 4, 3, Buffer.alloc(20_000))],
    ],
    ["a stream of an even number", [preface, settings, open, frame(headersFrame, 5, 2, get)]],
    ["a reset of nothing", [preface, settings, frame(resetFrame, 0, 9, Buffer.alloc(4))]],
    ["a length that is never reached", [preface, settings, open.subarray(0, 12)]],
  ])("%s", async (_, bytes) => {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    onTestFinished(() => void socket.destroy());
    await once(socket, "connect");
    socket.write(Buffer.concat(bytes));
    // The server has read them when it has said something.
    await once(socket, "data");
    socket.resetAndDestroy();
    expect(await answer({ parts: [whole] })).toEqual({ status: 200, grpc: OK });
  });

  test("calls that are begun and broken off", async () => {
    const client = session();
    for (const path of ["Initialize", "StreamSession", "WatchSessions", "Nope"]) {
      for (const code of [constants.NGHTTP2_CANCEL, constants.NGHTTP2_INTERNAL_ERROR]) {
        const stream = client.request({
          ":method": "POST",
          ":path": `${service}/${path}`,
          "content-type": "application/grpc",
          authorization: "Bearer alice",
        });
        stream.on("error", () => {});
        stream.write(whole.subarray(0, 4));
        stream.close(code);
        await closed(stream);
      }
    }
    client.destroy();
    expect(await answer({ parts: [whole] })).toEqual({ status: 200, grpc: OK });
  });
});
