/** The words of one peer for what the policy says; `none`: no opinion. */
export interface Words<T> {
  readonly allow: T;
  readonly ask: T;
  readonly deny: T;
  readonly none: T;
}

/** `throws`: a source elsewhere cuts the connection, a callback throws. */
export type PolicyFault = "hangs" | "garbage" | "throws";

/** The policy that every peer is given, and what goes wrong with its source. */
export interface Policy {
  fault: PolicyFault | undefined;
  /** Runs when an answer is about to be given. */
  beforeAnswer: (() => void) | undefined;
  /** Answers in the peer's own words. A source that answers garbage does so whatever the words are. */
  answer<T>(tool: string, input: unknown, words: Words<T>): Promise<T>;
}

/** What a proxy in between answers. */
export const page = "<html>It works!</html>";

export function createPolicy(): Policy {
  const policy: Policy = {
    fault: undefined,
    beforeAnswer: undefined,
    async answer(tool, input, words) {
      const { fault } = policy;
      if (fault === "hangs") await new Promise(() => {});
      if (fault === "throws") throw new Error("kaput");
      policy.beforeAnswer?.();
      return fault === "garbage" ? (page as never) : words[wordFor(tool, input)];
    },
  };
  return policy;
}

/** `pay` up to 400 yes, up to 500 a person, above it no; handing over yes; nothing is known of other tools. */
export function wordFor(tool: string, input: unknown): keyof Words<unknown> {
  if (tool === "delegate" || tool === "agent-payer") return "allow";
  if (tool !== "pay") return "none";
  const { price } = Object(input) as { price?: unknown };
  if (typeof price !== "number" || !(price <= 500)) return "deny";
  return price > 400 ? "ask" : "allow";
}
