import { fromBinary, type DescMessage, type MessageShape } from "@bufbuild/protobuf";
import type { CommitmentPayload } from "../generated/macp/v1/core_pb.ts";
import { CommitmentPayloadSchema } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../kernel/envelope.ts";
import { type Refusal, denied, refuse } from "../kernel/refusal.ts";
import { type MessageType, type ModeKey, modeTable, type Payload } from "../protocol/mode-table.ts";
import { contradicts, mayCommit } from "./commitment.ts";
import { type Json, toJson } from "./json.ts";
import type { SessionTerms } from "./session-terms.ts";

/** A message that may be accepted. Nothing has changed until `apply` is called. */
export interface Change {
  readonly ok: true;
  apply(): void;
  /** What the session resolves with, for the message that ends it. */
  readonly resolution?: Uint8Array;
}

/** A session's mode at work. */
export interface Machine {
  /** Decides by the state and the message alone; `acceptedAtMs` is the acceptance clock, unix milliseconds. */
  judge(envelope: Envelope, acceptedAtMs: number): Refusal | Change;
  /** The mode state in upstream's JSON shape. */
  snapshot(): Json;
}

export interface Mode {
  /** The machine of a session that has just started. */
  open(terms: SessionTerms): Refusal | Machine;
}

/** One message before the rules of its type. */
export interface Turn<State, P> {
  readonly terms: SessionTerms;
  readonly state: State;
  readonly sender: string;
  readonly payload: P;
  readonly atMs: number;
}

export interface MessageRule<State, P> {
  /** Who may send it. Default: the declared participants. */
  readonly from?: "participant" | "initiator";
  /** Reads the payload; undefined where there is none. Default: as protobuf, by the table's schema. */
  readonly decode?: (bytes: Uint8Array) => object | undefined;
  /** Undefined when the message is in order. Must not change anything. */
  readonly check: (turn: Turn<State, P>) => Refusal | undefined;
  /** Called only after `check` found nothing. */
  readonly apply: (turn: Turn<State, P>) => void;
}

type CommitmentTurn<State> = Turn<State, CommitmentPayload>;

/** The message that ends a session. Its authority and its payload are checked the same way in every mode. */
export interface CommitmentRule<State> {
  /** Default: whom the policy names. */
  readonly from?: "initiator";
  readonly ready: (turn: CommitmentTurn<State>) => boolean;
  /** What the policy has against it. */
  readonly denials?: (turn: CommitmentTurn<State>) => readonly string[];
  readonly apply?: (turn: CommitmentTurn<State>) => void;
  /** Default: the payload's bytes. */
  readonly resolution?: (turn: CommitmentTurn<State>) => Uint8Array;
}

export interface ModeRules<K extends ModeKey, State> {
  /** Whether these people can do this at all. */
  readonly roster: (terms: SessionTerms) => boolean;
  readonly start: (terms: SessionTerms) => State;
  /** A row for each message type of the table. */
  readonly messages: {
    readonly [T in Exclude<MessageType<K>, "Commitment">]: MessageRule<State, Payload<K, T>>;
  };
  readonly commitment: CommitmentRule<State>;
  /** What a message of another type is refused with. Default `InvalidPayload` for participants. */
  readonly unknownType?: "Forbidden";
}

type Judge = (
  at: { terms: SessionTerms; state: unknown },
  envelope: Envelope,
  atMs: number,
) => Refusal | Change;

/** A built-in mode: the table's message types, each with its rule. */
export function defineMode<K extends ModeKey, State>(key: K, rules: ModeRules<K, State>): Mode {
  const schemas: Readonly<Record<string, DescMessage>> = modeTable[key].payloads;
  const judges = new Map<string, Judge>([["Commitment", judgeCommitment(rules.commitment)]]);
  for (const [type, rule] of Object.entries<MessageRule<State, never>>(rules.messages)) {
    const schema = schemas[type];
    if (schema !== undefined) judges.set(type, judgeBy(schema, rule));
  }
  return {
    open(terms) {
      if (!rules.roster(terms)) return refuse("InvalidPayload");
      const at = { terms, state: rules.start(terms) };
      return {
        judge(envelope, atMs) {
          const judge = judges.get(envelope.messageType);
          if (judge !== undefined) return judge(at, envelope, atMs);
          const known = terms.members.has(envelope.sender) && rules.unknownType === undefined;
          return refuse(known ? "InvalidPayload" : "Forbidden");
        },
        snapshot: () => toJson(at.state),
      };
    },
  };
}

function judgeBy<State>(schema: DescMessage, rule: MessageRule<State, never>): Judge {
  const decode = rule.decode ?? ((bytes: Uint8Array) => decodePayload(schema, bytes));
  return ({ terms, state }, { sender, payload: bytes }, atMs) => {
    const allowed =
      rule.from === "initiator" ? sender === terms.initiator : terms.members.has(sender);
    if (!allowed) return refuse("Forbidden");
    const payload = decode(bytes);
    if (payload === undefined) return refuse("InvalidPayload");
    // The row's payload type is the one of the schema beside it in the table.
    const turn = { terms, state: state as State, sender, payload: payload as never, atMs };
    return rule.check(turn) ?? { ok: true, apply: () => rule.apply(turn) };
  };
}

function judgeCommitment<State>(rule: CommitmentRule<State>): Judge {
  return ({ terms, state }, { sender, payload: bytes }, atMs) => {
    const allowed =
      rule.from === "initiator" ? sender === terms.initiator : mayCommit(terms, sender);
    if (!allowed) return refuse("Forbidden");
    const payload = decodePayload(CommitmentPayloadSchema, bytes);
    if (payload === undefined || contradicts(terms, payload)) return refuse("InvalidPayload");
    const turn = { terms, state: state as State, sender, payload, atMs };
    if (!rule.ready(turn)) return refuse("InvalidPayload");
    const reasons = rule.denials?.(turn) ?? [];
    if (reasons.length > 0) return denied(reasons);
    return {
      ok: true,
      apply: () => rule.apply?.(turn),
      resolution: rule.resolution?.(turn) ?? bytes,
    };
  };
}

/** Undefined when the bytes are no such message. */
export function decodePayload<S extends DescMessage>(
  schema: S,
  bytes: Uint8Array,
): MessageShape<S> | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}
