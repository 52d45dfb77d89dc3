import type { Reach } from "./coverage-surface.ts";
import type { Guard } from "../guard/guard-surface.ts";

/** One framework's eye. */
export interface Inspector {
  /** The package's name; registering again replaces. */
  name: string;
  /** What can be reached through it; undefined = not of this framework. */
  inspect(target: unknown, guard: Guard): readonly Reach[] | undefined;
}
