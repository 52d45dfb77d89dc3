import { AssertionError } from "node:assert";
import {
  denied,
  type ExpectedDenial,
  type ExpectedRecord,
  type Found,
  type LogSource,
  recorded,
} from "./match-record.ts";

/** Throws an AssertionError unless a record has these fields. Its message lists what is recorded. */
export function assertRecorded(source: LogSource, expected: ExpectedRecord): void {
  check(recorded(source, expected), assertRecorded);
}

/** Throws an AssertionError unless such a call was refused and did not run. */
export function assertDenied(source: LogSource, expected: ExpectedDenial): void {
  check(denied(source, expected), assertDenied);
}

function check({ pass, message }: Found, stackStartFn: (...args: never[]) => void): void {
  if (!pass) throw new AssertionError({ message: message(), stackStartFn });
}
