import { create } from "@bufbuild/protobuf";
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
  return {
    send({ envelope }, from) {
      if (envelope === undefined) throw invalidArgument("InvalidEnvelope: no envelope");
      const answer = (outcome: Outcome | Denial): SendResponse => {
        context.counters.answered(envelope, outcome);
        const ack = toAck(outcome, envelope, context.now());
        return create(SendResponseSchema, { ack });
      };
      const shape = context.kernel.checkShape(envelope);
      if (shape !== undefined) return answer(shape);
      const identity = context.authenticate(from);
      return identity instanceof Promise
        ? identity.then(async (found) => answer(await accept(context, envelope, found)))
        : answered(accept(context, envelope, identity), answer);
    },
  };
}

function answered<T>(
  outcome: Denial | Promise<Outcome>,
  answer: (outcome: Outcome | Denial) => T,
): T | Promise<T> {
  return outcome instanceof Promise ? outcome.then(answer) : answer(outcome);
}

function accept(
  { kernel, admission }: ServiceContext,
  envelope: Envelope,
  identity: Identity | undefined,
): Denial | Promise<Outcome> {
  if (identity === undefined) return unauthenticated;
  const sent = asSender(envelope, identity);
  if (isDenial(sent)) return sent;
  return admit(sent, identity, admission) ?? kernel.send(sent, identity);
}
