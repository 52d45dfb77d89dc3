import { AgentKeysError } from "@agentkeys/contract";
import { z } from "zod";
import { type Auth, bearer, devAgent } from "../protocol/auth.ts";

/** A payload as protobuf's JSON: snake_case or camelCase names, bytes in base64. */
const Payload = z.record(z.string(), z.json());

const Start = z.object({
  intent: z.string().default(""),
  participants: z.array(z.string()).optional(),
  ttl_ms: z.int(),
  policy_version: z.string().optional(),
  max_suspend_ms: z.int().optional(),
  context_id: z.string().optional(),
  roots: z.array(z.object({ uri: z.string(), name: z.string().default("") })).default([]),
  /** Bytes in base64. */
  extensions: z.record(z.string(), z.base64()).default({}),
});

const Fields = z.object({
  participant_id: z.string().min(1),
  session_id: z.string().min(1),
  mode: z.string().min(1),
  runtime_url: z.string().optional(),
  runtime_address: z.string().optional(),
  auth_token: z.string().min(1).optional(),
  auth: z.object({ bearer_token: z.string().min(1) }).optional(),
  /** For a runtime in development mode. */
  agent_id: z.string().min(1).optional(),
  participants: z.array(z.string()).default([]),
  secure: z.boolean().optional(),
  allow_insecure: z.boolean().default(false),
  mode_version: z.string().optional(),
  configuration_version: z.string().optional(),
  policy_version: z.string().optional(),
  initiator: z
    .object({
      session_start: Start,
      kickoff: z.object({ message_type: z.string(), payload: Payload }).optional(),
    })
    .optional(),
  cancel_callback: z
    .object({
      host: z.string().default("127.0.0.1"),
      port: z.int().min(0).max(65_535),
      path: z.string().startsWith("/").default("/cancel"),
    })
    .optional(),
});

/** How an orchestrator tells a process which session it is a participant of, and as whom. */
export type Bootstrap = z.output<typeof Fields>;

/** Checks a bootstrap document. Throws `config_invalid`, which never quotes a value: there are tokens among them. */
export function parseBootstrap(document: unknown): Bootstrap {
  const parsed = Fields.safeParse(document);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map(({ path, code }) => `${path.join(".") || "."}: ${code}`);
  throw invalid(problems.join("; "));
}

/** Where its runtime is. Plaintext only with `allow_insecure`, and not where `secure` or the address asks for TLS. */
export function runtimeOf(bootstrap: Bootstrap): { target: string; allowInsecure: boolean } {
  const { runtime_url, runtime_address, secure, allow_insecure } = bootstrap;
  const address = runtime_url ?? runtime_address;
  if (address === undefined) throw invalid("neither runtime_url nor runtime_address");
  const [, scheme, target = address] = /^(https?|grpcs?):\/\/([^/]+)/.exec(address) ?? [];
  const encrypted = secure ?? (scheme === undefined ? !allow_insecure : scheme.endsWith("s"));
  if (!encrypted && !allow_insecure) throw invalid("no TLS, and no allow_insecure either");
  return { target, allowInsecure: !encrypted };
}

/** Throws `config_invalid` where it names no credential. */
export function authOf({ auth_token, auth, agent_id, participant_id }: Bootstrap): Auth {
  const token = auth_token ?? auth?.bearer_token;
  if (token !== undefined) return bearer(token, { expectedSender: participant_id });
  if (agent_id === undefined) throw invalid("neither auth_token nor agent_id");
  return devAgent(agent_id);
}

const invalid = (message: string) => new AgentKeysError("config_invalid", `bootstrap: ${message}`);

/**
 * Reads a bootstrap file. Default: the one that MACP_BOOTSTRAP_FILE names. Throws `config_invalid`.
 */
export async function readBootstrap(
  path: string | undefined = process.env["MACP_BOOTSTRAP_FILE"],
): Promise<Bootstrap> {
  if (path === undefined) throw invalid("no path, and MACP_BOOTSTRAP_FILE is not set");
  // Not at the top: the rest of the participant runs where there are no files.
  const { readFile } = await import("node:fs/promises");
  const text = await readFile(path, "utf8").catch((cause: unknown) => {
    throw new AgentKeysError("config_invalid", `bootstrap: ${path} cannot be read`, { cause });
  });
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    // The parser's message quotes the text, and with it perhaps a token.
    throw invalid(`${path} is no JSON`);
  }
  return parseBootstrap(document);
}
