import type { Kernel } from "../kernel/kernel.ts";
import type { Admission } from "./admission.ts";
import type { Authenticate } from "./auth/identity.ts";
import type { Counters } from "./counters.ts";

/** What the calls of one runtime share. */
export interface ServiceContext {
  readonly kernel: Kernel;
  readonly authenticate: Authenticate;
  readonly admission: Admission;
  readonly counters: Counters;
  /** Unix ms. */
  readonly now: () => number;
  /** Set where the policies come from files: nobody changes them over the wire. */
  readonly policiesReadOnly: boolean;
  /** Set where credentials are checked: the policies are then shown to nobody without one. */
  readonly policiesGuarded: boolean;
  /** Sessions of a page where the request names no size; undefined = all of them. */
  readonly listPageSize: number | undefined;
  readonly listMaxPageSize: number;
}
