import type { DirectAnswer, DirectRequest } from "@agentkeys/contract";
import { type Dispatcher, Pool } from "undici";
import type { Stop } from "./deadline.ts";
import { type Http, maxAnswerBytes, tooLarge } from "./http.ts";

/** Sockets to one authority; further calls wait for one, inside their own deadline. */
const connections = 64;

/** Over one pool of kept connections. The deadline is the caller's, so undici's own timeouts are off. */
export function openPool(origin: string): Http {
  const pool = new Pool(origin, { connections, pipelining: 1, headersTimeout: 0, bodyTimeout: 0 });
  return {
    post: (request, stop) =>
      new Promise((resolve, reject) => dispatch(pool, request, { resolve, reject, stop })),
    async get({ path, headers }, signal) {
      const { statusCode, body } = await pool.request({ path, method: "GET", headers, signal });
      return { status: statusCode, body };
    },
    close: () => pool.destroy(),
  };
}

interface Waiting {
  readonly stop: Stop;
  readonly resolve: (answer: DirectAnswer) => void;
  readonly reject: (error: Error) => void;
}

// `dispatch` and not `request`: no body stream is made for an answer that is wanted whole.
function dispatch(pool: Pool, request: DirectRequest, waiting: Waiting): void {
  const { path, headers, body } = request;
  const { resolve, reject, stop } = waiting;
  const chunks: Buffer[] = [];
  let size = 0;
  let status = 0;
  let retryAfter: string | undefined;
  const handler: Dispatcher.DispatchHandler = {
    onRequestStart(controller) {
      stop.onStop((reason) => controller.abort(new Error("aborted", { cause: reason })));
    },
    onResponseStart(_controller, statusCode, answered) {
      status = statusCode;
      const after = answered["retry-after"];
      retryAfter = typeof after === "string" ? after : undefined;
    },
    onResponseData(controller, chunk) {
      size += chunk.length;
      if (size > maxAnswerBytes) controller.abort(tooLarge());
      else chunks.push(chunk);
    },
    onResponseEnd() {
      const [first] = chunks;
      const whole = chunks.length === 1 && first !== undefined ? first : Buffer.concat(chunks);
      resolve({ status, retryAfter, body: whole.toString("utf8") });
    },
    onResponseError(_controller, error) {
      reject(error);
    },
  };
  pool.dispatch({ path, method: "POST", headers, body }, handler);
}
