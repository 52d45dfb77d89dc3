import {
  AgentKeysError,
  errorTable,
  type DirectAnswer,
  type ErrorCode,
  isErrorCode,
} from "@agentkeys/contract";
import { isRecord } from "../json/is-record.ts";
import { unavailable } from "./unavailable.ts";

/** The answer of a plain route; a refusal is thrown with the authority's own text and data. */
export function readRoute({ status, body }: DirectAnswer): Record<string, unknown> {
  const answer = parse(body);
  if (status === 200 && isRecord(answer)) return answer;
  const { error, reason, code, message, data } = isRecord(answer) ? answer : {};
  const text = [error, message].find((found) => typeof found === "string");
  const known = [reason, code].find(isErrorCode) ?? codeOf(status);
  if (text === undefined && (known === undefined || status >= 500))
    throw unavailable(`HTTP ${status}`);
  const facts = isRecord(data) ? { data } : {};
  throw new AgentKeysError(known ?? "authority_unavailable", text ?? `HTTP ${status}`, facts);
}

/** The code that speaks most generally for a status: the first of the table. */
function codeOf(status: number): ErrorCode | undefined {
  if (status === 404) return "not_found";
  const codes = Object.keys(errorTable) as ErrorCode[];
  return codes.find((code) => errorTable[code].http === status);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
