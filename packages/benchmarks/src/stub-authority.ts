import { type Direct, direct } from "@agentkeys/contract";
import type { Fetch } from "@agentkeys/core";

const hash = `0x${"ab".repeat(32)}`;
const begun = `{"verdict":"accept","scope":"payment.spend","reason":"within_cap","explanation":"cap=500, requested=200, period=daily","ticket":"0b0e7f4e-30cb-4e5e-9b07-3f6c1f6f8f2e","envelope_hash":"${hash}"}`;
const ended = `{"ok":true,"envelope_hash":"${hash}"}`;

const answer: Direct = ({ body }) => {
  const id = /"id":(\d+)/.exec(body)?.[1];
  const result = body.includes("guard/begin") ? begun : ended;
  const text = `{"jsonrpc":"2.0","id":${id},"result":${result}}`;
  return Promise.resolve({ status: 200, retryAfter: undefined, body: text });
};

const unused: Fetch = () => Promise.reject(new Error("the client did not ask directly"));

/**
 * Accepts every call at once, writes nothing, goes nowhere: what is left of a guarded call is our own code. It is asked
 * as an embedded authority is.
 */
export const stubFetch: Fetch = Object.assign(unused, { [direct]: answer });
