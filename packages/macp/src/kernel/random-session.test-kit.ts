import { create, type DescField, type DescMessage, ScalarType, toBinary } from "@bufbuild/protobuf";
import fc from "fast-check";
import { type ModeKey, modeTable } from "../protocol/mode-table.ts";
import type { PolicyInit } from "../policy/policy-registry.ts";
import { policy } from "./kernel.test-kit.ts";

/** One thing that somebody does, in order or not. */
export type Action =
  | {
      readonly kind: "message";
      readonly sender: string;
      readonly type: string;
      readonly payload: Uint8Array;
      readonly id: string;
    }
  | { readonly kind: "cancel" | "suspend" | "resume"; readonly by: string }
  | { readonly kind: "wait"; readonly ms: number };

/** Few, so that they come to something. */
export const cast = ["coordinator", "alice", "bob"];
const people = [...cast, ...cast, ...cast, "mallory"];
/** Right nearly always. */
const mostly = (usual: string, ...odd: string[]) => [
  ...Array.from({ length: 12 }, () => usual),
  ...odd,
];
const words: Readonly<Record<string, readonly string[]>> = {
  recommendation: ["APPROVE", "review", "Block", "maybe"],
  severity: ["critical", "LOW", "", "fatal"],
  vote: ["APPROVE", "reject", "ABSTAIN", "yes"],
  modeVersion: mostly("1.0.0", "9"),
  configurationVersion: mostly("config.default", "9"),
  policyVersion: ["", "policy.test"],
  action: ["x.approved", "x.rejected", "done"],
};
const aboutPeople = /assignee|participant|By$/i;

function text({ localName }: DescField): fc.Arbitrary<string> {
  if (localName in words) return fc.constantFrom(...(words[localName] ?? []));
  if (aboutPeople.test(localName)) return fc.constantFrom(...people, ...mostly(""));
  if (localName.endsWith("Id")) return fc.constantFrom(...mostly("x", "y", "y", ""));
  return fc.constantFrom(...mostly("text", ""));
}

function value(field: DescField): fc.Arbitrary<unknown> {
  if (field.fieldKind === "list") return fc.constant([]);
  if (field.fieldKind !== "scalar") return fc.constant(undefined);
  switch (field.scalar) {
    case ScalarType.STRING:
      return text(field);
    case ScalarType.BOOL:
      return fc.boolean();
    case ScalarType.DOUBLE:
      return fc.constantFrom(0.5, 1, 1, -1, Number.NaN);
    case ScalarType.BYTES:
      return fc.uint8Array({ maxLength: 3 });
    case ScalarType.UINT32:
      return fc.nat(4);
    default:
      return fc.constant(0n);
  }
}

function payload(schema: DescMessage): fc.Arbitrary<Uint8Array> {
  const fields = schema.fields.map((field) => [field.localName, value(field)] as const);
  return fc
    .record(Object.fromEntries(fields))
    .map((init) => toBinary(schema, create(schema, init)));
}

/** Mostly messages of the mode, in any order, from anybody; now and then something else. */
export function actions(key: ModeKey): fc.Arbitrary<Action[]> {
  const payloads = Object.entries<DescMessage>(modeTable[key].payloads);
  const content = fc.oneof(
    ...payloads.map(([type, schema]) => ({
      weight: type === "Commitment" ? 1 : 3,
      arbitrary: payload(schema).map((bytes) => ({ type, payload: bytes })),
    })),
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constant("Unknown"),
        payload: fc.constant(new Uint8Array()),
      }),
    },
    {
      weight: 1,
      arbitrary: fc.record({
        type: fc.constantFrom(...payloads.map(([type]) => type)),
        payload: fc.uint8Array({ maxLength: 12 }),
      }),
    },
  );
  const message = fc
    .record({ content, sender: fc.constantFrom(...people), id: fc.nat(400).map(String) })
    .map(({ content: what, sender, id }) => ({ kind: "message" as const, sender, id, ...what }));
  const control = fc.record({
    kind: fc.constantFrom(
      ...(["suspend", "suspend", "resume", "resume", "resume", "cancel"] as const),
    ),
    by: fc.constantFrom("coordinator", "alice"),
  });
  const wait = fc.record({ kind: fc.constant("wait" as const), ms: fc.constantFrom(1, 400, 9000) });
  const action: fc.Arbitrary<Action> = fc.oneof(
    { weight: 40, arbitrary: message },
    { weight: 2, arbitrary: control },
    { weight: 2, arbitrary: wait },
  );
  return fc.array(action, { maxLength: 80, size: "max" });
}

const algorithms = ["none", "majority", "supermajority", "unanimous", "weighted", "plurality"];
const decisionRules = fc.record(
  {
    voting: fc.record(
      {
        algorithm: fc.constantFrom(...algorithms),
        threshold: fc.constantFrom(0.51, 2 / 3, 1),
        quorum: fc.constantFrom({ type: "count", value: 2 }, { type: "percentage", value: 60 }),
        weights: fc.constantFrom({ alice: 2 }, { alice: 1, bob: 3, coordinator: 0.5 }),
      },
      { requiredKeys: ["algorithm", "threshold", "weights"] },
    ),
    objection_handling: fc.record({
      critical_severity_vetoes: fc.boolean(),
      veto_threshold: fc.constantFrom(1, 2),
      critical_objection_action: fc.constantFrom("deny", "hold", "finalize_decline"),
    }),
    evaluation: fc.record({
      minimum_confidence: fc.constantFrom(0, 0.8),
      required_before_voting: fc.boolean(),
    }),
    commitment: fc.record({
      require_vote_quorum: fc.boolean(),
      allow_decline_over_approval: fc.boolean(),
    }),
  },
  { requiredKeys: [] },
);

/** Rules that bite, by mode. */
const rules: Readonly<Record<ModeKey, fc.Arbitrary<object>>> = {
  decision: decisionRules,
  proposal: fc.record({
    acceptance: fc.record({
      criterion: fc.constantFrom("all_parties", "counterparty", "initiator"),
    }),
    counter_proposal: fc.record({ max_rounds: fc.nat(2) }),
    rejection: fc.record({ terminal_on_any_reject: fc.boolean() }),
  }),
  task: fc.record({
    assignment: fc.record({ allow_reassignment_on_reject: fc.boolean() }),
    completion: fc.record({ require_output: fc.boolean() }),
  }),
  handoff: fc.record({
    acceptance: fc.record({ implicit_accept_timeout_ms: fc.constantFrom(0, 500) }),
  }),
  quorum: fc.record({
    threshold: fc.constantFrom(
      { type: "n_of_m", value: 2 },
      { type: "percentage", value: 50 },
      { type: "count", value: 0 },
    ),
  }),
  multiRound: fc.constant({}),
};

export function policies(key: ModeKey): fc.Arbitrary<PolicyInit> {
  const authority = fc.constantFrom("initiator_only", "any_participant", "designated_role");
  return fc
    .record({ given: rules[key], authority, schemaVersion: fc.constantFrom(1, 2, 3) })
    .map(({ given, authority: who, schemaVersion }) => {
      const more = "commitment" in given ? (given.commitment as object) : {};
      const commitment = { ...more, authority: who, designated_roles: ["bob"] };
      return policy({
        mode: modeTable[key].mode,
        schemaVersion,
        rules: { ...given, commitment },
      });
    });
}
