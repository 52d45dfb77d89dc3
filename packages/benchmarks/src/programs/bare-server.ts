// The least that an HTTP server in Node does: takes the body, answers as many bytes as `?bytes=` says.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

const answers = new Map<string, Buffer>();

function answerTo(url: string): Buffer {
  let answer = answers.get(url);
  if (answer === undefined) {
    const bytes = Number(new URL(url, "http://localhost").searchParams.get("bytes") ?? 2);
    answer = Buffer.from(JSON.stringify("a".repeat(bytes - 2)));
    answers.set(url, answer);
  }
  return answer;
}

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const answer = answerTo(request.url ?? "/");
    response.writeHead(200, {
      "content-type": "application/json",
      "content-length": answer.length,
    });
    response.end(answer);
  });
});
server.listen(0, "127.0.0.1", () => {
  const { port } = server.address() as AddressInfo;
  process.stdout.write(`${JSON.stringify({ url: `http://127.0.0.1:${port}/` })}\n`);
});
process.stdin.resume().once("end", () => process.exit(0));
