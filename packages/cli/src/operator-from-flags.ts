import { createOperator, type Operator } from "@agentkeys/core";

/** How every operator's command reaches its authority. */
export interface OperatorFlags {
  url?: string;
  token?: string;
  json?: true;
}

export function operatorFromFlags({ url, token }: OperatorFlags): Operator {
  return createOperator({
    ...(url === undefined ? {} : { url }),
    ...(token === undefined ? {} : { token }),
  });
}
