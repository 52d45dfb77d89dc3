import { type Direct, direct } from "@agentkeys/contract";
import type { Fetch } from "@agentkeys/core";

const envelope_hash = `0x${"ab".repeat(32)}`;
const ticket = "0b0e7f4e-30cb-4e5e-9b07-3f6c1f6f8f2e";
const reason = "within_cap";
const explanation = "cap=500, requested=200, period=daily";

const authority: Direct = {
  call: ({ method, params }) => {
    if (method !== "guard/begin") return Promise.resolve({ result: { ok: true, envelope_hash } });
    const answer = { verdict: "accept", scope: params["scope"], reason, explanation };
    return Promise.resolve({ result: { ...answer, ticket, envelope_hash } });
  },
  post: () => Promise.reject(new Error("the client did not ask by call")),
};

const unused: Fetch = () => Promise.reject(new Error("the client did not ask directly"));

/**
 * Accepts every call at once, writes nothing, goes nowhere: what is left of a guarded call is our own code. It is asked
 * as an embedded authority is.
 */
export const stubFetch: Fetch = Object.assign(unused, { [direct]: authority });
