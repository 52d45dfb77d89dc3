import { capHash } from "@agentkeys/contract";
import type { Actor } from "../access/admission.ts";
import { actingActor, operatorOf } from "../access/admission.ts";
import { optionalText, requiredText } from "../rpc/fields.ts";
import { digestOf, failure, kind, success, toEnvelope } from "../audit/records.ts";
import { refusal } from "../access/refusals.ts";
import type { Services } from "../services.ts";
import type { Access } from "./access.ts";
import { authorise, hasScope, ttlOf } from "./access.ts";
import type { Call, Handler } from "./handler.ts";
import { ambient } from "./handler.ts";

interface Credential extends Access {
  /** As given: answers echo it. */
  readonly service: string;
  readonly name: string;
  /** In whose vault it lies: the operator's. */
  readonly owner: string;
  readonly content: string;
}

/** Arguments in upstream's order: the mismatch comes second here. `content` only for a store. */
function toCredential(
  services: Services,
  { caller, args }: Call,
  op: "cred_fetch" | "cred_store",
): Credential {
  const actor = actingActor(services, caller, ambient(services, args, "actor"));
  const service = requiredText(args, "service");
  const device = ambient(services, args, "device_key_hash");
  const content = op === "cred_store" ? requiredText(args, "content") : "";
  const given = optionalText(args, "operator_omni");
  // Unlike memory's, the default operator of a credential is the actor itself.
  const owner = operatorOf(
    services,
    actor,
    actor.settings === undefined ? (given ?? actor.omni) : given,
  );
  const name = service.toLowerCase();
  return {
    request: {
      op,
      actor,
      operator: given ?? owner,
      service,
      device,
      ttl: ttlOf(args["ttl_seconds"]),
    },
    allowed:
      hasScope(actor, op === "cred_fetch" ? "cred.read" : "cred.write") && serves(actor, name),
    op_kind: kind[op],
    target: { service: name },
    step: `${op} failed: `,
    service,
    name,
    owner,
    content,
  };
}

function serves(actor: Actor, service: string): boolean {
  return actor.settings === undefined || actor.settings.services.has(service);
}

export const fetch: Handler = async (services, call) => {
  const credential = toCredential(services, call, "cred_fetch");
  const { owner, name, service, request } = credential;
  const payload = await authorise(services, credential, call.args);
  const sealed = await services.store.credential(owner, name);
  const content =
    sealed && (await services.vault.open(sealed, { owner, kind: "credential", name }));
  await services.store.append(
    toEnvelope(services, {
      actor: request.actor.id,
      operator: owner,
      op_kind: credential.op_kind,
      op_body: { ...credential.target, cap_hash: capHash(payload) },
      result: content === undefined ? failure : success,
    }),
  );
  if (content === undefined) throw notStored(credential);
  return { ok: true, service, content };
};

/** Upstream has no 404 here. */
function notStored({ step, owner }: Credential): Error {
  const error = `s3 GetObject failed for 1 vault candidate(s): operator(${owner})=NoSuchKey`;
  return refusal(step, { status: 502, error, reason: "s3_get", code: "not_found" });
}

export const store: Handler = async (services, call) => {
  const credential = toCredential(services, call, "cred_store");
  const { owner, name, service, content } = credential;
  await authorise(services, credential, call.args);
  const blob = await services.vault.seal(content, { owner, kind: "credential", name });
  await services.store.putCredential(
    { owner, service: name, blob },
    toEnvelope(services, {
      actor: credential.request.actor.id,
      operator: owner,
      op_kind: credential.op_kind,
      op_body: { ...credential.target, payload_hash: digestOf(blob) },
      result: success,
    }),
  );
  const s3_key = `bots/${owner.slice(2)}/credentials/${name}.enc`;
  return { ok: true, service, s3_key, envelope_size: blob.length };
};
