import { clone, create } from "@bufbuild/protobuf";
import { type ModeDescriptor, ModeDescriptorSchema } from "../generated/macp/v1/core_pb.ts";
import { createTopic, type Listener, type Unsubscribe } from "../kernel/topic.ts";
import type { Registration } from "../policy/policy-registry.ts";
import { toModeDescriptor } from "../protocol/mode-descriptor.ts";
import {
  modeKeyOf,
  modeKeys,
  type ModeKey,
  modeTable,
  terminalMessageType,
} from "../protocol/mode-table.ts";
import { decision } from "./decision.ts";
import { handoff } from "./handoff.ts";
import type { Mode } from "./mode.ts";
import { multiRound } from "./multi-round.ts";
import { passthrough } from "./passthrough.ts";
import { proposal } from "./proposal.ts";
import { quorum } from "./quorum.ts";
import { task } from "./task.ts";

export interface RegisteredMode {
  readonly mode: Mode;
  readonly descriptor: ModeDescriptor;
  /** Id of the built-in mode; undefined for an extension. */
  readonly rulesOf: string | undefined;
  readonly standard: boolean;
  /** Whether a SessionStart must name participants and versions. */
  readonly strict: boolean;
}

/** The modes that sessions may be started in. A running session keeps its mode, whatever becomes of it here. */
export interface ModeRegistry {
  get(mode: string): RegisteredMode | undefined;
  /** Every name, sorted. */
  names(): string[];
  /** Built-in ones first, in the table's order; then promoted ones, sorted. */
  standard(): ModeDescriptor[];
  /** Sorted. */
  extensions(): ModeDescriptor[];
  register(descriptor: ModeDescriptor): Registration;
  unregister(mode: string): Registration;
  /** Makes an extension standard, under another name if one is given. */
  promote(mode: string, name?: string): Registration & { readonly mode: string };
  /** Called after each change. */
  watch(listener: Listener<void>): Unsubscribe;
}

const reservedPrefix = "macp.mode.";
const machines: Readonly<Record<ModeKey, Mode>> = {
  decision,
  proposal,
  task,
  handoff,
  quorum,
  multiRound,
};

/** The rules of a built-in mode, whatever the registry says by now. */
export function builtInMode(id: string): Mode | undefined {
  const key = modeKeyOf(id);
  return key && machines[key];
}

const refused = (error: string): Registration => ({ ok: false, error });

export function createModeRegistry(): ModeRegistry {
  const modes = new Map<string, RegisteredMode>(
    modeKeys.map((key) => [modeTable[key].mode, toBuiltIn(key)]),
  );
  const changes = createTopic<void>();
  const changed = (): Registration => {
    changes.publish();
    return { ok: true };
  };
  const listed = (standard: boolean): ModeDescriptor[] =>
    [...modes.values()]
      .filter((entry) => entry.standard === standard)
      .map(({ descriptor }) => clone(ModeDescriptorSchema, descriptor));
  return {
    get: (mode) => modes.get(mode),
    names: () => [...modes.keys()].toSorted(),
    standard: () => [
      ...listed(true).filter(({ mode }) => modeKeyOf(mode) !== undefined),
      ...listed(true)
        .filter(({ mode }) => modeKeyOf(mode) === undefined)
        .toSorted(byMode),
    ],
    extensions: () => listed(false).toSorted(byMode),
    register(descriptor) {
      const problem = descriptorProblem(descriptor);
      if (problem !== undefined) return refused(problem);
      if (modes.has(descriptor.mode)) {
        return refused(`mode '${descriptor.mode}' is already registered`);
      }
      modes.set(descriptor.mode, toExtension(descriptor));
      return changed();
    },
    unregister(mode) {
      const entry = modes.get(mode);
      if (entry === undefined) return refused(`mode '${mode}' not found`);
      if (entry.rulesOf !== undefined) return refused(`cannot unregister built-in mode '${mode}'`);
      if (entry.standard) return refused(`cannot unregister standards-track mode '${mode}'`);
      modes.delete(mode);
      return changed();
    },
    promote(mode, name = "") {
      const target = name === "" ? mode : name;
      const entry = modes.get(mode);
      const problem = promotionProblem(modes, { mode, target });
      if (entry === undefined || problem !== undefined) {
        return { ok: false, error: problem ?? `mode '${mode}' not found`, mode: "" };
      }
      modes.delete(mode);
      const descriptor = create(ModeDescriptorSchema, { ...entry.descriptor, mode: target });
      modes.set(target, { ...entry, descriptor, standard: true, strict: true });
      return { ...changed(), mode: target };
    },
    watch: changes.subscribe,
  };
}

const byMode = (a: ModeDescriptor, b: ModeDescriptor): number => (a.mode < b.mode ? -1 : 1);

function toBuiltIn(key: ModeKey): RegisteredMode {
  return {
    mode: machines[key],
    descriptor: toModeDescriptor(key),
    rulesOf: modeTable[key].mode,
    standard: modeTable[key].standard,
    strict: true,
  };
}

function toExtension(init: ModeDescriptor): RegisteredMode {
  const descriptor = clone(ModeDescriptorSchema, init);
  const mode = passthrough(descriptor.messageTypes);
  return { mode, descriptor, rulesOf: undefined, standard: false, strict: false };
}

function descriptorProblem(descriptor: ModeDescriptor): string | undefined {
  const { mode, modeVersion, messageTypes, terminalMessageTypes: terminal } = descriptor;
  if (mode.trim() === "") return "mode name must not be empty";
  if (mode.startsWith(reservedPrefix)) {
    return `cannot register extension with reserved ${reservedPrefix}* namespace`;
  }
  if (modeVersion.trim() === "") return "extension descriptor must bind mode_version";
  if (!messageTypes.includes(terminalMessageType)) {
    return `extension descriptor must declare message type '${terminalMessageType}'`;
  }
  return terminal.length === 1 && terminal[0] === terminalMessageType
    ? undefined
    : `terminal_message_types must be exactly '${terminalMessageType}'`;
}

function promotionProblem(
  modes: ReadonlyMap<string, RegisteredMode>,
  { mode, target }: { mode: string; target: string },
): string | undefined {
  const entry = modes.get(mode);
  if (entry === undefined) return `mode '${mode}' not found`;
  if (entry.standard) return `mode '${mode}' is already standards-track`;
  if (target === mode) return undefined;
  if (target.startsWith(reservedPrefix)) {
    return `cannot promote into the reserved ${reservedPrefix}* namespace`;
  }
  return modes.has(target) ? `cannot promote: target name '${target}' already exists` : undefined;
}
