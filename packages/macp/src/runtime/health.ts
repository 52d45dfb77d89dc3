import { BinaryReader } from "@bufbuild/protobuf/wire";
import { status, type ServiceDefinition, type UntypedServiceImplementation } from "@grpc/grpc-js";
import type { handleServerStreamingCall, handleUnaryCall } from "@grpc/grpc-js";
import { MACPRuntimeService } from "../generated/macp/v1/core_pb.ts";

/** Values of ServingStatus of `grpc.health.v1`. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

const path = "/grpc.health.v1.Health";

/** An object, because grpc-js takes an empty string for a request that never came. */
interface Asked {
  readonly service: string;
}

/** A request holds a service's name in field 1, an answer a small number in field 1: no generated code is worth that. */
const codec = {
  requestSerialize: (): Buffer => Buffer.alloc(0),
  requestDeserialize: readService,
  responseSerialize: (value: number): Buffer => Buffer.from([0x08, value]),
  responseDeserialize: (bytes: Buffer): number => bytes[1] ?? 0,
  requestStream: false,
} as const;

export const healthService = {
  check: { ...codec, path: `${path}/Check`, responseStream: false },
  watch: { ...codec, path: `${path}/Watch`, responseStream: true },
} satisfies ServiceDefinition;

export interface Health {
  readonly implementation: UntypedServiceImplementation;
  /** From now on nothing is serving, and who watches is told. */
  stop(): void;
}

/** Knows the whole server (the empty name) and the runtime's service. */
export function createHealth(): Health {
  let current = SERVING;
  const watchers = new Set<() => void>();
  const known = (service: string): boolean =>
    service === "" || service === MACPRuntimeService.typeName;
  const check: handleUnaryCall<Asked, number> = ({ request }, callback) => {
    if (known(request.service)) callback(null, current);
    else callback({ code: status.NOT_FOUND, details: "unknown service" });
  };
  const watch: handleServerStreamingCall<Asked, number> = (call) => {
    const tell = (): void =>
      void call.write(known(call.request.service) ? current : SERVICE_UNKNOWN);
    tell();
    watchers.add(tell);
    call.on("cancelled", () => watchers.delete(tell));
    call.on("close", () => watchers.delete(tell));
  };
  return {
    implementation: { check, watch },
    stop() {
      current = NOT_SERVING;
      for (const tell of watchers) tell();
    },
  };
}

function readService(bytes: Buffer): Asked {
  const reader = new BinaryReader(bytes);
  let service = "";
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) service = reader.string();
    else reader.skip(type, field);
  }
  return { service };
}
