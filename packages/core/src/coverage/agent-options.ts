import type { Denial } from "../guard/guard-surface.ts";
import { isRecord } from "../json/is-record.ts";

/** What `withAgentKeys` of every framework takes. */
export interface AgentOptions {
  /** Keys of the AgentKeys tools to add (`memory_get`, …); false adds none. Default: all. */
  tools?: readonly string[] | false;
  /** Throws `config_invalid` for a tool that no guard reaches. Default: false, it is left as it is. */
  strict?: boolean;
}

/** The same object with other properties: class, getters and hidden properties stay. */
export function copyWith<T extends object>(object: T, changes: Partial<T>): T {
  return Object.create(Object.getPrototypeOf(object) as object | null, {
    ...Object.getOwnPropertyDescriptors(object),
    ...Object.getOwnPropertyDescriptors(changes),
  }) as T;
}

export interface DeniedOutput {
  error: true;
  code: Denial["code"];
  message: string;
}

/** A denial as a result, for frameworks that have no form of their own for one. */
export function deniedOutput({ code, message }: Denial): DeniedOutput {
  return { error: true, code, message };
}

/** By shape, because frameworks copy results on their way. */
export function isDeniedOutput(output: unknown): output is DeniedOutput {
  if (!isRecord(output) || output["error"] !== true) return false;
  const { message } = output;
  return typeof message === "string" && message.startsWith("Denied by AgentKeys: ");
}
