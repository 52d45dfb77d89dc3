import { type ApprovalRef, copyWith, type Guard, type RunOptions } from "@agentkeys/core";
import { type CallContext, factsOf, mayHalt, type Pause } from "./call.ts";

/** Marks what a run is told of a call that waits for a person, and the call when it is resumed. */
const type = "agentkeys.approval";

type Told = { type?: string; approval?: ApprovalRef };

/** A task in the background is not told again for what it had suspended itself. By its messages, which it keeps. */
const inBackground = new WeakMap<object, Told>();

/** The approval for which a resumed call had suspended itself; none where it was the tool's own doing. */
export function askedFor({ suspendPayload, messages = [] }: Pause): ApprovalRef | undefined {
  const told: Told = Object(suspendPayload ?? inBackground.get(messages));
  inBackground.delete(messages);
  return told.type === type ? told.approval : undefined;
}

const suspension = new Error("suspended");

/** For what is thrown through the guard: nothing ran. */
export function unlessSuspended(error: unknown): undefined {
  if (error !== suspension) throw error;
}

/** Suspends the run where Mastra could resume it later. */
export function asking(guard: Guard, context: CallContext): Pick<RunOptions, "suspend"> {
  const { suspend, outputWriter: pass, messages = [], isBackgroundTask } = context.agent ?? {};
  const { callId, runKey } = factsOf(context);
  if (!suspend || !pass || !callId || !runKey || !context.mastra?.getStorage()) return {};
  return {
    async suspend(approval) {
      // The authority, which is asked again, denies what was withdrawn.
      if (!mayHalt(pass)) return guard.client.approvals.withdraw(approval.id);
      const told: Told = { type, approval };
      if (isBackgroundTask) inBackground.set(messages, told);
      await suspend(told);
      throw suspension;
    },
  };
}

/** A tool's schema of what it is resumed with, for the framework: answers to the guard pass. The tool keeps its own. */
export function withAnswers(schema: unknown): unknown {
  const standard = Object(schema)["~standard"];
  if (!standard) return undefined;
  const isAnswer = (value: unknown) => typeof Object(value).approved === "boolean";
  const validate = (value: unknown) => (isAnswer(value) ? { value } : standard.validate(value));
  return copyWith(Object(schema), { "~standard": copyWith(standard, { validate }) });
}
