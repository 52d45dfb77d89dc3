import { capHash } from "@agentkeys/contract";
import { actingActor, operatorOf } from "../access/admission.ts";
import type { CapOp } from "../access/caps.ts";
import { requiredText } from "../rpc/fields.ts";
import { digestOf, failure, kind, success, toEnvelope } from "../audit/records.ts";
import { backendError } from "../access/refusals.ts";
import type { Services } from "../services.ts";
import type { Access } from "./access.ts";
import { authorise, hasScope, recordRefusal, ttlOf } from "./access.ts";
import type { Call, Handler } from "./handler.ts";
import { ambient } from "./handler.ts";

interface Note extends Access {
  /** As given: answers echo it. */
  readonly namespace: string;
  /** In lower case, as the signed service has it. */
  readonly name: string;
  readonly content: string;
}

/** Arguments in upstream's order; `content` only for a put. */
function toNote(services: Services, { caller, args }: Call, op: "memory_get" | "memory_put"): Note {
  const omni = ambient(services, args, "actor");
  const namespace = requiredText(args, "namespace");
  const content = op === "memory_put" ? requiredText(args, "content") : "";
  const operator = ambient(services, args, "operator_omni");
  const device = ambient(services, args, "device_key_hash");
  const actor = actingActor(services, caller, omni);
  operatorOf(services, actor, operator);
  const service = `memory:${namespace}`;
  const ttl = ttlOf(args["ttl_seconds"]);
  const name = namespace.toLowerCase();
  return {
    request: { op: op satisfies CapOp, actor, operator, service, device, ttl },
    allowed: hasScope(actor, op === "memory_get" ? "memory.read" : "memory.write"),
    op_kind: kind[op],
    target: { key: `memory:${name}` },
    step: `${op} failed: `,
    namespace,
    name,
    content,
  };
}

/** Outside the actor's namespaces: never the note, never whether there is one. */
async function violates(services: Services, note: Note): Promise<boolean> {
  const namespaces = note.request.actor.settings?.namespaces;
  if (namespaces === undefined || namespaces.has(note.name)) return false;
  await recordRefusal(services, note);
  return true;
}

export const get: Handler = async (services, call) => {
  const note = toNote(services, call, "memory_get");
  const { namespace, name, request } = note;
  const payload = await authorise(services, note, call.args);
  if (await violates(services, note)) {
    return { ok: false, namespace, namespace_violation: true, content: "" };
  }
  const actor = request.actor.id;
  const sealed = await services.store.memory(actor, name);
  const content =
    sealed && (await services.vault.open(sealed, { owner: actor, kind: "memory", name }));
  await services.store.append(
    toEnvelope(services, {
      actor,
      operator: payload.operator_omni,
      op_kind: note.op_kind,
      op_body: { ...note.target, cap_hash: capHash(payload) },
      result: content === undefined ? failure : success,
    }),
  );
  if (content === undefined) {
    const text = `no memory in namespace \`${namespace}\``;
    throw backendError(note.step, 404, { text, code: "not_found" });
  }
  return { ok: true, namespace, content };
};

export const put: Handler = async (services, call) => {
  const note = toNote(services, call, "memory_put");
  const { namespace, name, request } = note;
  const payload = await authorise(services, note, call.args);
  if (await violates(services, note)) {
    return { ok: false, namespace, namespace_violation: true, reason: "namespace_not_allowed" };
  }
  const actor = request.actor.id;
  const blob = await services.vault.seal(note.content, { owner: actor, kind: "memory", name });
  await services.store.putMemory(
    { actor, namespace: name, blob },
    toEnvelope(services, {
      actor,
      operator: payload.operator_omni,
      op_kind: note.op_kind,
      op_body: { ...note.target, payload_hash: digestOf(blob) },
      result: success,
    }),
  );
  const s3_key = `bots/${actor.slice(2)}/memory/memory:${name}.enc`;
  return { ok: true, namespace, s3_key, envelope_size: blob.length };
};
