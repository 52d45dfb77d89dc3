import { serveOpa } from "../opa-stand-in.ts";
import type { Words } from "../policy.ts";
import { approval } from "./approval.ts";
import type { Seam, Settings } from "./seam.ts";

type Approval = NonNullable<Settings["toolApproval"]>;

/** What is used of `@ai-sdk/policy-opa`. */
export interface PolicyOpa {
  httpPolicyClient(options: { url: string }): object;
  opaPolicy(options: { client: object; path: string }): Approval;
  shadow(
    approval: Approval,
    options: { enforce: true; onDecision: (event: Decided) => Promise<void> },
  ): Approval;
}

interface Decided {
  readonly toolCall: { readonly toolName: string };
  readonly effective: { readonly type: string };
}

const words: Words<unknown> = {
  allow: { decision: "allow" },
  ask: { decision: "requires-approval" },
  deny: { decision: "deny", reason: "over 500" },
  none: undefined,
};

interface Asked {
  readonly tool: { readonly name: string };
  readonly args: unknown;
}

const read = ({ tool, args }: Asked) => ({ tool: tool.name, input: args });

export function policyOpa({ httpPolicyClient, opaPolicy, shadow }: PolicyOpa): Seam {
  return {
    name: "policy-opa",
    join: "`opaPolicy` with its HTTP client, inside `shadow({ enforce: true, onDecision })`, whose events are its record. OPA itself is a stand-in on loopback that answers OPA's data API from the same policy.",
    records: true,
    asks: true,
    hasSource: true,
    notes: {
      "jump around": "as with the SDK's own.",
      "resumed early": "the client's answer is the decision.",
      "sub-agent, guarded objects": approval.notes["sub-agent, guarded objects"] ?? "",
    },
    async open(stage) {
      const client = httpPolicyClient({ url: await serveOpa(stage, { words, read }) });
      const onDecision = ({ toolCall, effective }: Decided): Promise<void> =>
        stage.sink({ tool: toolCall.toolName, refused: effective.type === "denied" });
      const options = { enforce: true, onDecision } as const;
      const toolApproval = shadow(opaPolicy({ client, path: "agent/call/decision" }), options);
      return { agent: (settings) => ({ ...settings, toolApproval }) };
    },
  };
}
