import { copyWith } from "@agentkeys/core";
import type { ToolExecutionOptions, ToolSet } from "ai";
import { serveOpa } from "../opa-stand-in.ts";
import type { PeerStage } from "../peer.ts";
import { wordFor } from "../policy.ts";
import type { Seam } from "./seam.ts";

/** What is used of `@microsoft/agent-governance-sdk`. */
export interface AgtSdk {
  AgentMeshClient: { create(agentId: string, options: { policyRules: Rule[] }): MeshClient };
  GenericFrameworkAdapter: new (client: MeshClient, options: AdapterOptions) => Adapter;
  OPABackend: new (options: { endpoint: string }) => Backend;
}

interface Backend {
  readonly name: string;
}

interface Rule {
  action: string;
  effect: "allow" | "deny" | "review";
}

interface Invocation {
  name: string;
  kind: "tool_call";
  input: Record<string, unknown>;
}

interface AdapterOptions {
  actionResolver(invocation: Invocation): string;
}

interface MeshClient {
  readonly audit: {
    log: (entry: object) => object;
    getEntries(): { action: string; decision: string }[];
  };
  readonly policy: {
    registerBackend(backend: Backend): void;
    evaluateWithBackends(action: string, context: object): Promise<{ effectiveDecision: string }>;
  };
}

interface Adapter {
  beginInvocation(invocation: Invocation): Promise<{
    readonly allowed: boolean;
    readonly reason: string;
    complete(outcome: { output?: unknown; error?: string }): unknown;
  }>;
  run(
    invocation: Invocation,
    handler: () => unknown,
  ): Promise<{ allowed: boolean; reason: string; error?: string; output?: unknown }>;
}

/** Its flat rules compare names only, so the amount is a part of the action's name. */
export const policyRules: Rule[] = [
  { action: "pay.allow", effect: "allow" },
  { action: "pay.ask", effect: "review" },
  { action: "pay.deny", effect: "deny" },
  { action: "delegate.allow", effect: "allow" },
];

export const actionResolver = ({ name, input }: Invocation): string =>
  `${name}.${wordFor(name, input)}`;

export const invocationOf = (name: string, input: unknown): Invocation => ({
  name,
  kind: "tool_call",
  input: input as Record<string, unknown>,
});

export function agt({ AgentMeshClient, GenericFrameworkAdapter, OPABackend }: AgtSdk): Seam {
  return {
    name: "AGT",
    join: "it has no adapter for these frameworks: each tool's `execute` goes through `GenericFrameworkAdapter.run` (a generator's through `beginInvocation`), 15 lines of ours. Flat rules that name the action with its amount. Its record is its audit log. Where the policy's source fails, the host asks `evaluateWithBackends` first (its own OPA backend, the same stand-in), because the adapter never does.",
    records: true,
    asks: false,
    hasSource: true,
    notes: {
      "jump around": "as with the SDK's own.",
      aborted: "the join leaves the run's signal to the tool.",
      resumed: "what it would have reviewed cannot be resumed.",
      "record hangs": "its record is a list in memory.",
    },
    async open(stage, { withSource = false } = {}) {
      const client = AgentMeshClient.create("agent", { policyRules });
      const adapter = new GenericFrameworkAdapter(client, { actionResolver });
      if (stage.sinkFault === "fails") {
        client.audit.log = () => {
          throw new Error("disk full");
        };
      }
      stage.defer(() => stage.log.splice(0));
      const wrap = (name: string, tool: ToolSet[string]): ToolSet[string] =>
        wrapTool(name, tool, { client, adapter, stage, withSource });
      const tools = (all: ToolSet): ToolSet =>
        Object.fromEntries(Object.entries(all).map(([name, tool]) => [name, wrap(name, tool)]));
      if (withSource) {
        const endpoint = await serveOpa(stage, { words, read });
        client.policy.registerBackend(new OPABackend({ endpoint }));
      }
      return {
        tools,
        agent: (settings) => ({ ...settings, tools: tools(settings.tools ?? {}) }),
      };
    },
  };
}

const words = {
  allow: { decision: "allow" },
  ask: { decision: "review" },
  deny: { decision: "deny" },
  none: undefined,
};

const read = ({ action, ...input }: { action: string }) => ({
  tool: action.split(".")[0] ?? "",
  input,
});

interface Join {
  readonly client: MeshClient;
  readonly adapter: Adapter;
  readonly stage: PeerStage;
  readonly withSource: boolean;
}

type Execute = (input: unknown, options: ToolExecutionOptions<unknown>) => unknown;

function wrapTool(name: string, tool: ToolSet[string], join: Join): ToolSet[string] {
  if (tool.execute === undefined) return tool;
  const execute = tool.execute as Execute;
  const { client, adapter, stage, withSource } = join;
  const copyLog = (): void => {
    const entries = client.audit.getEntries().map(({ action, decision }) => ({
      tool: action.split(".")[0] ?? "",
      refused: decision !== "allow",
    }));
    stage.log.splice(0, stage.log.length, ...entries);
  };
  const run: Execute = async (input, options) => {
    if (withSource) {
      const invocation = invocationOf(name, input);
      const action = actionResolver(invocation);
      const asked = client.policy.evaluateWithBackends(action, invocation.input);
      const { effectiveDecision } = await asked;
      if (effectiveDecision !== "allow") throw new Error(`policy: ${effectiveDecision}`);
    }
    const asked = adapter.run(invocationOf(name, input), () => execute(input, options));
    stage.policy.beforeAnswer?.();
    const said = await asked.finally(copyLog);
    if (!said.allowed || said.error !== undefined) throw new Error(said.error ?? said.reason);
    return said.output;
  };
  async function* stream(input: unknown, options: ToolExecutionOptions<unknown>) {
    const handle = await adapter.beginInvocation(invocationOf(name, input));
    copyLog();
    if (!handle.allowed) throw new Error(handle.reason);
    yield* execute(input, options) as AsyncIterable<unknown>;
    handle.complete({});
  }
  const streams = Object.prototype.toString.call(execute) === "[object AsyncGeneratorFunction]";
  return copyWith(tool, { execute: streams ? stream : run });
}
