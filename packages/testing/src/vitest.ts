import { expect } from "vitest";
import {
  denied,
  type ExpectedDenial,
  type ExpectedRecord,
  type Found,
  type LogSource,
  recorded,
} from "./match-record.ts";

/** For `expect.extend`; importing this module inside a vitest run has done that. */
export const recordMatchers = {
  toHaveRecorded: (source: LogSource, expected: ExpectedRecord): Found =>
    recorded(source, expected),
  toHaveDenied: (source: LogSource, expected: ExpectedDenial): Found => denied(source, expected),
};

// Outside of a run there is nothing to extend.
if (process.env["VITEST"] !== undefined) expect.extend(recordMatchers);

declare module "vitest" {
  // The parameters must be those of vitest's own declaration.
  interface Matchers<R extends void | Promise<void> = void | Promise<void>, T = unknown> {
    /** A record of the log (`authority.log()`, or the authority) has these fields; objects in part, a pattern for a text. */
    toHaveRecorded(expected: ExpectedRecord): R;
    /** A call of this tool, or with these fields, was refused and did not run. */
    toHaveDenied(expected: ExpectedDenial): R;
  }
}
