import { create, type DescMessage, toBinary } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { ContributePayloadSchema } from "../generated/macp/modes/multi_round/v1/multi_round_pb.ts";
import { toModeDescriptor } from "./mode-descriptor.ts";
import { modeKeyOf, modeKeys, modeTable, payloadSchema } from "./mode-table.ts";
import {
  decodeCorePayload,
  decodeMessage,
  decodePayload,
  encodeCorePayload,
  encodePayload,
} from "./payload.ts";

const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);

test("the modes and their messages, as they stand on the wire", () => {
  expect(
    Object.fromEntries(
      modeKeys.map((key) => [modeTable[key].mode, toModeDescriptor(key).messageTypes]),
    ),
  ).toEqual({
    "macp.mode.decision.v1": [
      "SessionStart",
      "Proposal",
      "Evaluation",
      "Objection",
      "Vote",
      "Commitment",
    ],
    "macp.mode.proposal.v1": [
      "SessionStart",
      "Proposal",
      "CounterProposal",
      "Accept",
      "Reject",
      "Withdraw",
      "Commitment",
    ],
    "macp.mode.task.v1": [
      "SessionStart",
      "TaskRequest",
      "TaskAccept",
      "TaskReject",
      "TaskUpdate",
      "TaskComplete",
      "TaskFail",
      "Commitment",
    ],
    "macp.mode.handoff.v1": [
      "SessionStart",
      "HandoffOffer",
      "HandoffContext",
      "HandoffAccept",
      "HandoffDecline",
      "Commitment",
    ],
    "macp.mode.quorum.v1": [
      "SessionStart",
      "ApprovalRequest",
      "Approve",
      "Reject",
      "Abstain",
      "Commitment",
    ],
    "ext.multi_round.v1": ["SessionStart", "Contribute", "Commitment"],
  });
  expect(modeKeys.filter((key) => modeTable[key].standard)).toEqual([
    "decision",
    "proposal",
    "task",
    "handoff",
    "quorum",
  ]);
});

const named = modeKeys.flatMap((key) =>
  Object.entries<DescMessage>(modeTable[key].payloads).map(
    ([type, schema]) => [key, type, schema] as const,
  ),
);

test.each(named)("%s %s has the payload of its own mode's package", (key, type, schema) => {
  const own = key === "multiRound" ? "multi_round" : key;
  const expected =
    type === "Commitment" ? "macp.v1.CommitmentPayload" : `macp.modes.${own}.v1.${type}Payload`;
  expect(schema.typeName).toBe(expected);
  expect(payloadSchema(modeTable[key].mode, type)).toBe(schema);
});

test("payloads come back as they went", () => {
  const vote = { proposalId: "p1", vote: "APPROVE", reason: "tests passed" };
  expect(decodePayload("decision", "Vote", encodePayload("decision", "Vote", vote))).toMatchObject(
    vote,
  );
  const task = { taskId: "t1", input: Uint8Array.of(0, 255), deadlineUnixMs: 2n ** 62n };
  expect(
    decodePayload("task", "TaskRequest", encodePayload("task", "TaskRequest", task)),
  ).toMatchObject(task);
  const start = { intent: "x", extensions: { k: Uint8Array.of(1) }, ttlMs: 5n };
  expect(decodeCorePayload("SessionStart", encodeCorePayload("SessionStart", start))).toMatchObject(
    start,
  );
});

test("VotePayload.reason is field 3, HandoffAccept.implicit field 4", () => {
  expect(encodePayload("decision", "Vote", { reason: "r" })).toEqual(
    Uint8Array.of((3 << 3) | 2, 1, 0x72),
  );
  expect(encodePayload("handoff", "HandoffAccept", { implicit: true })).toEqual(
    Uint8Array.of(4 << 3, 1),
  );
});

test("any message is decoded by mode and type; what is unknown is undefined, what is broken throws", () => {
  const { mode } = modeTable.decision;
  const bytes = encodePayload("decision", "Vote", { vote: "APPROVE" });
  expect(decodeMessage(mode, "Vote", bytes)).toMatchObject({ vote: "APPROVE" });
  expect(
    decodeMessage(mode, "SessionStart", encodeCorePayload("SessionStart", { intent: "x" })),
  ).toMatchObject({ intent: "x" });
  expect(
    decodeMessage("", "Signal", encodeCorePayload("Signal", { signalType: "x" })),
  ).toMatchObject({ signalType: "x" });
  expect(decodeMessage(mode, "Approve", bytes)).toBeUndefined();
  expect(decodeMessage(mode, "constructor", bytes)).toBeUndefined();
  expect(decodeMessage("ext.other.v1", "Vote", bytes)).toBeUndefined();
  expect(modeKeyOf("toString")).toBeUndefined();
  expect(() => decodeMessage(mode, "Vote", Uint8Array.of(0xff))).toThrow(Error);
});

test.each([
  ['{"value":"blue"}', "blue"],
  ['{"value":"","extra":1}', ""],
  ['{"value":"ünï"}', "ünï"],
])("the older Contribute %s", (text, value) => {
  expect(decodePayload("multiRound", "Contribute", utf8(text)).value).toBe(value);
});

test.each([["{}"], ['{"value":1}'], ['{"value":'], ["[]"], ['"blue"'], ["{"], [""]])(
  "%s is no Contribute",
  (text) => {
    expect(() => decodePayload("multiRound", "Contribute", utf8(text))).toThrow(Error);
  },
);

test("a value that looks like the older form is still a value", () => {
  // The length byte 13 is a carriage return, so all of these bytes are valid JSON too.
  const value = '{"value":"x"}';
  const bytes = toBinary(ContributePayloadSchema, create(ContributePayloadSchema, { value }));
  expect(JSON.parse(new TextDecoder().decode(bytes))).toEqual({ value: "x" });
  expect(decodePayload("multiRound", "Contribute", bytes).value).toBe(value);
});
