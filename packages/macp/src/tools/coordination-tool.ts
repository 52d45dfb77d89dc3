import type { ToolRow } from "@agentkeys/contract";
import { z } from "zod";
import type { SendOptions, Session } from "../sessions/session-surface.ts";

/** One operation on a session as a tool: its row, and what it does. */
export interface CoordinationTool<S> {
  readonly row: ToolRow;
  /** The input is what the row's schema made of it. */
  readonly run: (session: S, input: unknown, options: SendOptions) => Promise<unknown>;
}

export interface ToolDefinition<S, I extends z.ZodObject> {
  /** After `agentkeys.`: mode and verb. */
  readonly id: `${string}.${string}`;
  readonly title: string;
  readonly description: string;
  readonly input: I;
  readonly run: (session: S, input: z.output<I>, options: SendOptions) => Promise<unknown>;
  /** Default: false. */
  readonly readOnly?: boolean;
}

/** What a message that was accepted answers. */
const Told = z.looseObject({ phase: z.string() });

/** The runtime authorises each message by its sender, so the rows need no scope of an authority. */
export function defineCoordinationTool<S extends Session, I extends z.ZodObject>(
  definition: ToolDefinition<S, I>,
): CoordinationTool<S> {
  const { id, title, description, input, run, readOnly = false } = definition;
  return {
    row: {
      id: `agentkeys.${id}`,
      title,
      description,
      input,
      ambient: [],
      output: Told,
      scope: null,
      readOnly,
      destructive: false,
      audience: "model",
      status: { v1: "absent", default: "active" },
      v1Schema: "model",
    },
    async run(session, given, options) {
      const answer = await run(session, given as z.output<I>, options);
      return readOnly ? answer : { accepted: true, phase: session.projection.phase };
    },
  };
}

/** Tools by key, the key being the model-facing name without its prefix. */
export type CoordinationTools<S> = Readonly<Record<string, CoordinationTool<S>>>;

export const reason = z.string().default("").describe("Why, in a sentence.");

const commitment = z.object({
  action: z
    .string()
    .describe(
      "What was decided, as a dotted word, for example deployment.approved. One that ends in selected, accepted, completed or approved is a positive outcome; rejected, failed or declined a negative one.",
    ),
  authority_scope: z.string().describe("What the decision is binding for."),
  reason: z.string().describe("Why, in a sentence."),
});

/** The verb that every mode ends with. */
export function commitTool<S extends Session>(
  mode: string,
  description: string,
): CoordinationTool<S> {
  return defineCoordinationTool<S, typeof commitment>({
    id: `${mode}.commit`,
    title: "Commit the outcome",
    description,
    input: commitment,
    run: (session, { action, authority_scope: authorityScope, reason: why }, options) =>
      session.commit({ action, authorityScope, reason: why, ...options }),
  });
}
