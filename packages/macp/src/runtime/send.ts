import { SendResponseSchema, type SendResponse } from "../generated/macp/v1/core_pb.ts";
import type { Envelope } from "../generated/macp/v1/envelope_pb.ts";
import type { Outcome } from "../kernel/kernel.ts";
import { invalidArgument } from "./access.ts";
import { toAck, unauthenticated, type Denial } from "./acks.ts";
import { admit, asSender, isDenial } from "./admission.ts";
import type { Identity } from "./auth/identity.ts";
import type { Part } from "./handlers.ts";
import type { ServiceContext } from "./service-context.ts";

/** Whatever is wrong with the envelope or its sender is answered in the Ack. */
export function sendCalls(context: ServiceContext): Part<"send"> {
  const answer = (envelope: Envelope, outcome: Outcome | Denial): SendResponse => {
    context.counters.answered(envelope, outcome);
    const ack = toAck(outcome, envelope, context.now());
    return { $typeName: SendResponseSchema.typeName, ack };
  };
  const accept = (
    envelope: Envelope,
    identity: Identity | undefined,
  ): SendResponse | Promise<SendResponse> => {
    const outcome = outcomeOf(context, envelope, identity);
    return outcome instanceof Promise
      ? outcome.then((settled) => answer(envelope, settled))
      : answer(envelope, outcome);
  };
  return {
    send({ envelope }, from) {
      if (envelope === undefined) throw invalidArgument("InvalidEnvelope: no envelope");
      const shape = context.kernel.checkShape(envelope);
      if (shape !== undefined) return answer(envelope, shape);
      const identity = context.authenticate(from);
      return identity instanceof Promise
        ? identity.then((found) => accept(envelope, found))
        : accept(envelope, identity);
    },
  };
}

function outcomeOf(
  { kernel, admission }: ServiceContext,
  envelope: Envelope,
  identity: Identity | undefined,
): Outcome | Denial | Promise<Outcome> {
  if (identity === undefined) return unauthenticated;
  const sent = asSender(envelope, identity);
  if (isDenial(sent)) return sent;
  return admit(sent, identity, admission) ?? kernel.receive(sent, identity);
}
