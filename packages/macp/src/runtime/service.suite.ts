import { describe } from "vitest";
import { describeControl } from "./control-calls.suite.ts";
import { describeHandshake } from "./handshake-calls.suite.ts";
import { describeRegistries } from "./registry-calls.suite.ts";
import { describeSend } from "./send-calls.suite.ts";
import { describeStream } from "./stream-calls.suite.ts";
import type { Connect } from "./testdata/calls.test-kit.ts";
import { describeWatches } from "./watch-calls.suite.ts";

/** What any transport must show of the service, on a runtime where callers name themselves. */
export function describeService(connect: Connect): void {
  describe("handshake", () => describeHandshake(connect));
  describe("Send", () => describeSend(connect));
  describe("control", () => describeControl(connect));
  describe("StreamSession", () => describeStream(connect));
  describe("watches", () => describeWatches(connect));
  describe("registries", () => describeRegistries(connect));
}
