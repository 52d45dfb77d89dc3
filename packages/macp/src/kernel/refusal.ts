import {
  type MacpErrorCode,
  type RefusalVariant,
  refusalVariants,
} from "../protocol/error-codes.ts";

/** Why a message changed nothing. */
export interface Refusal {
  readonly ok: false;
  /** Upstream's variant name; travels as the error's message. */
  readonly variant: RefusalVariant;
  /** The registry's code for it. */
  readonly code: MacpErrorCode;
  /** What the policy said; with PolicyDenied only. */
  readonly reasons?: readonly string[];
}

export function refuse(variant: RefusalVariant): Refusal {
  return { ok: false, variant, code: refusalVariants[variant] };
}

export function denied(reasons: readonly string[]): Refusal {
  return { ...refuse("PolicyDenied"), reasons };
}
