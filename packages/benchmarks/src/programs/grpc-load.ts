// What generators/grpc-load.c does, for where there is no C compiler.
import { readFileSync } from "node:fs";
import { type ClientHttp2Session, connect } from "node:http2";
import type { Answered } from "../load.ts";
import { quantile } from "../spread.ts";

const [host = "", port = "", path = "", token = "", seconds = "", file = ""] =
  process.argv.slice(2);
const digits = 12;
const durations: number[] = [];
const start = performance.now();
const end = start + Number(seconds) * 1000;
let sent = 0;

/** With gRPC's prefix of five bytes. */
function requestsIn(bytes: Buffer): Buffer[] {
  const requests: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const length = bytes.readUInt32BE(at);
    requests.push(Buffer.concat([Buffer.of(0), bytes.subarray(at, at + 4 + length)]));
    at += 4 + length;
  }
  return requests;
}

function call(session: ClientHttp2Session, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ":method": "POST",
      ":path": path,
      "content-type": "application/grpc",
      te: "trailers",
      authorization: `Bearer ${token}`,
    });
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("error", reject);
    stream.on("end", () => resolve(Buffer.concat(chunks)));
    stream.end(request);
  });
}

async function caller(session: ClientHttp2Session, request: Buffer): Promise<void> {
  const mark = request.indexOf("#") + 1;
  while (performance.now() < end) {
    const at = performance.now();
    const next = Buffer.from(request);
    next.write(String(sent++).padStart(digits, "0"), mark, "latin1");
    const answer = await call(session, next);
    // An answer is an Ack in field 1, its first field `ok`.
    if (answer[5] !== 0x0a || answer[7] !== 0x08 || answer[8] !== 1) {
      throw new Error("a message was refused");
    }
    durations.push((performance.now() - at) * 1000);
  }
}

const session = connect(`http://${host}:${port}`);
await Promise.all(requestsIn(readFileSync(file)).map((request) => caller(session, request)));
const perSecond = (durations.length * 1000) / (performance.now() - start);
session.close();
const seen: Answered = { perSecond, p50: quantile(durations, 0.5), p99: quantile(durations, 0.99) };
process.stdout.write(JSON.stringify(seen));
