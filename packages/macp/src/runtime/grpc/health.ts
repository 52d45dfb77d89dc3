import { BinaryReader } from "@bufbuild/protobuf/wire";
import { MACPRuntimeService } from "../../generated/macp/v1/core_pb.ts";
import { grpcStatus } from "../../protocol/error-codes.ts";
import { statusError } from "../../protocol/refusal.ts";
import type { Method, StreamMethod, UnaryMethod } from "./methods.ts";

/** Values of ServingStatus of `grpc.health.v1`. */
const SERVING = 1;
const NOT_SERVING = 2;
const SERVICE_UNKNOWN = 3;

const path = "/grpc.health.v1.Health";

/** A request holds a service's name in field 1, an answer a small number in field 1: no generated code is worth that. */
const codec = { decode: readService, encode: (value: number) => Uint8Array.of(0x08, value) };

export interface Health {
  readonly methods: ReadonlyMap<string, Method>;
  /** From now on nothing is serving, and who watches is told. */
  stop(): void;
}

/** Knows the whole server (the empty name) and the runtime's service. */
export function createHealth(): Health {
  let current = SERVING;
  const watchers = new Set<() => void>();
  const known = (service: string): boolean =>
    service === "" || service === MACPRuntimeService.typeName;
  const check: UnaryMethod<string, number> = {
    ...codec,
    kind: "unary",
    handler(service) {
      if (known(service)) return current;
      throw statusError({ status: grpcStatus.NOT_FOUND, message: "unknown service" });
    },
  };
  const watch: StreamMethod<string, number> = {
    ...codec,
    kind: "server_streaming",
    handler(service, _from, down) {
      const tell = (): void => void down.write(known(service) ? current : SERVICE_UNKNOWN);
      tell();
      watchers.add(tell);
      down.onClose(() => watchers.delete(tell));
    },
  };
  return {
    methods: new Map<string, Method>([
      [`${path}/Check`, check],
      [`${path}/Watch`, watch],
    ]),
    stop() {
      current = NOT_SERVING;
      for (const tell of watchers) tell();
    },
  };
}

function readService(bytes: Buffer): string {
  const reader = new BinaryReader(bytes);
  let service = "";
  while (reader.pos < reader.len) {
    const [field, type] = reader.tag();
    if (field === 1) service = reader.string();
    else reader.skip(type, field);
  }
  return service;
}
