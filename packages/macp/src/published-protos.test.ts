import {
  create,
  createFileRegistry,
  createRegistry,
  type DescEnum,
  type DescField,
  type DescMessage,
  type DescService,
  type Registry,
  fromBinary,
} from "@bufbuild/protobuf";
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";

import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { file_macp_modes_decision_v1_decision } from "./generated/macp/modes/decision/v1/decision_pb.ts";
import { file_macp_modes_handoff_v1_handoff } from "./generated/macp/modes/handoff/v1/handoff_pb.ts";
import { file_macp_modes_multi_round_v1_multi_round } from "./generated/macp/modes/multi_round/v1/multi_round_pb.ts";
import { file_macp_modes_proposal_v1_proposal } from "./generated/macp/modes/proposal/v1/proposal_pb.ts";
import { file_macp_modes_quorum_v1_quorum } from "./generated/macp/modes/quorum/v1/quorum_pb.ts";
import { file_macp_modes_task_v1_task } from "./generated/macp/modes/task/v1/task_pb.ts";
import { file_macp_v1_core } from "./generated/macp/v1/core_pb.ts";
import { file_macp_v1_envelope } from "./generated/macp/v1/envelope_pb.ts";
import { file_macp_v1_policy } from "./generated/macp/v1/policy_pb.ts";

const version = "0.1.6";

const ours = createRegistry(
  file_macp_v1_core,
  file_macp_v1_envelope,
  file_macp_v1_policy,
  file_macp_modes_decision_v1_decision,
  file_macp_modes_handoff_v1_handoff,
  file_macp_modes_multi_round_v1_multi_round,
  file_macp_modes_proposal_v1_proposal,
  file_macp_modes_quorum_v1_quorum,
  file_macp_modes_task_v1_task,
);

/** Prints the descriptors that a wheel's generated modules hold, one a line, in base64. */
const readWheel = `
import ast, base64, sys, zipfile
wheel = zipfile.ZipFile(sys.argv[1])
for name in wheel.namelist():
    if not name.endswith("_pb2.py"):
        continue
    for node in ast.walk(ast.parse(wheel.read(name))):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "AddSerializedFile":
            print(base64.b64encode(node.args[0].value).decode())
`;

/** The descriptors that the protocol publishes, or why they cannot be had here. */
function published(): Registry | string {
  const folder = mkdtempSync(join(tmpdir(), "macp-proto-"));
  try {
    const download = [
      "-m",
      "pip",
      "download",
      "--quiet",
      "--no-deps",
      "--retries",
      "0",
      "--timeout",
      "5",
      "--disable-pip-version-check",
    ];
    const args = [...download, "--dest", folder, `macp-proto==${version}`];
    const got = spawnSync("python3", args, { encoding: "utf8", timeout: 20_000 });
    if (got.status !== 0)
      return `pip has no macp-proto ${version}: ${got.error?.message ?? got.stderr}`;
    const [wheel = ""] = readdirSync(folder);
    const read = spawnSync("python3", ["-c", readWheel, join(folder, wheel)], { encoding: "utf8" });
    if (read.status !== 0) throw new Error(read.stderr);
    const file = read.stdout
      .trim()
      .split("\n")
      .map((line) => fromBinary(FileDescriptorProtoSchema, Buffer.from(line, "base64")))
      // What others import comes first.
      .toSorted((a, b) => a.dependency.length - b.dependency.length);
    return createFileRegistry(create(FileDescriptorSetSchema, { file }));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Everything of a registry that is on the wire, as lines. */
function surface(registry: Registry): string[] {
  return [...registry]
    .flatMap((desc) => {
      if (desc.kind === "message") return messageLines(desc);
      if (desc.kind === "enum") return enumLines(desc);
      return desc.kind === "service" ? serviceLines(desc) : [];
    })
    .toSorted();
}

const messageLines = (message: DescMessage): string[] => [
  message.typeName,
  ...message.fields.map(
    (field) => `${message.typeName} ${field.number} ${field.name} ${fieldType(field)}`,
  ),
];

function fieldType(field: DescField): string {
  const { label, type, typeName } = field.proto;
  const oneof = field.oneof === undefined ? "" : ` of ${field.oneof.name}`;
  return `${label}:${type}:${typeName}${oneof}`;
}

const enumLines = (desc: DescEnum): string[] =>
  desc.values.map((value) => `${desc.typeName} ${value.number} ${value.name}`);

const serviceLines = (service: DescService): string[] =>
  service.methods.map(
    (method) =>
      `${service.typeName} ${method.name} ${method.methodKind} ${method.input.typeName} ${method.output.typeName}`,
  );

test("fields, numbers, types and calls are those that the protocol publishes", (context) => {
  const theirs = published();
  if (typeof theirs === "string") {
    console.log(`skipped: ${theirs}`);
    context.skip(theirs);
    return;
  }
  const lines = surface(theirs);
  expect(lines.length).toBeGreaterThan(200);
  expect(surface(ours)).toEqual(lines);
});
