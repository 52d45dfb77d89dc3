import { readFileSync } from "node:fs";
import { Command } from "commander";

/** Loaded when it is run: a hook is started twice for each tool call, and needs no server. */
function lazy<A extends unknown[]>(load: () => Promise<(...args: A) => Promise<void>>) {
  return async (...args: A): Promise<void> => (await load())(...args);
}

const approvals = () => import("./commands/approvals.ts");
const hooks = () => import("./commands/hook.ts");

function version(): string {
  const file = new URL("../package.json", import.meta.url);
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
}

function connection(command: Command): Command {
  return command
    .option(
      "--url <url>",
      "the authority's /mcp URL (default: AGENTKEYS_MCP_URL, else http://localhost:8088/mcp)",
    )
    .option("--token <token>", "operator token (default: AGENTKEYS_OPERATOR_TOKEN)")
    .option("--json", "machine-readable output");
}

function addApprovals(root: Command): void {
  root.description("what agents ask people");
  const add = (name: string): Command => connection(root.command(name).exitOverride());
  const decision = (name: string): Command =>
    add(name)
      .argument("<id>", "the approval's id, apr_…")
      .option("--digest <digest>", "digest of what you read (default: shows it and asks)")
      .option("--reason <text>", "written into the record", "decided on the command line")
      .option("--by <person>", "who decides, written into the record");
  add("list")
    .description("pending approvals, oldest first")
    .option("--status <status>", "pending, approved, denied, withdrawn, expired or all", "pending")
    .action(lazy(async () => (await approvals()).approvalsList));
  decision("approve")
    .description("let this very call run once")
    .option("--remember <match>", "and from now on this tool, or this input")
    .option("--for <whose>", "remembered in this thread or for this actor", "thread")
    .option("--ttl <seconds>", "remembered for so long", "3600")
    .action(lazy(async () => (await approvals()).approvalsApprove));
  decision("deny")
    .description("refuse it")
    .action(lazy(async () => (await approvals()).approvalsDeny));
}

/** The command line; parsing throws CommanderError instead of ending the process. */
export function program(): Command {
  const root = new Command("agentkeys")
    .description("Agent IAM: who an agent is, what it may do, and what it did.")
    .version(version())
    .exitOverride()
    .configureHelp({ showGlobalOptions: true });
  const add = (parent: Command, name: string): Command => parent.command(name).exitOverride();

  add(root, "dev")
    .description("run a demo authority with demo identities; prints the variables to export")
    .option("--listen <host:port>", "address", "127.0.0.1:8088")
    .option("--data <dir>", "data directory", ".agentkeys")
    .option("--json", "print one JSON object instead of export lines")
    .action(lazy(async () => (await import("./commands/dev.ts")).dev));
  add(root, "serve")
    .description("run the authority; upstream's environment variables are honoured, flags win")
    .option("--listen <host:port>", "address (default: MCP_LISTEN, else 127.0.0.1:8088)")
    .option("--data <dir>", "data directory", ".agentkeys")
    .option("--config <file>", "agentkeys.yaml")
    .option("--surface <surface>", "v1 (upstream to the letter) or default", "default")
    .option("--transport <transport>", "http or stdio (default: MCP_TRANSPORT, else http)")
    .action(lazy(async () => (await import("./commands/serve.ts")).serve));

  const audit = add(root, "audit").description("read the audit log");
  connection(add(audit, "tail"))
    .description("follow the log as it grows")
    .option("--after <seq>", "start after this record", "0")
    .option("--limit <n>", "stop after so many records")
    .action(lazy(async () => (await import("./commands/audit-tail.ts")).auditTail));

  connection(add(root, "revoke"))
    .description("revoke an agent: its very next call is refused")
    .argument("<actor>", "the agent's omni, 0x + 64 hex digits")
    .option("--reason <text>", "written into the record", "revoked by the operator")
    .action(lazy(async () => (await import("./commands/revoke.ts")).revoke));

  addApprovals(add(root, "approvals"));

  add(root, "coverage")
    .description("what an agent can reach, and how it is governed")
    .argument("<module>", "a program's module that exports guard and agents")
    .option("--json", "machine-readable output")
    .option("--strict", "exit 1 where a tool is not governed or a row governs nothing")
    .action(lazy(async () => (await import("./commands/coverage.ts")).coverage));

  const hook = add(root, "hook").description(
    "Claude Code hooks: JSON on stdin and stdout, exit code always 0",
  );
  add(hook, "check")
    .description("before a tool: {} lets it run, a block decision stops it")
    .option("--scope <scope>", "permission scope to ask for, for example payment.spend")
    .action(lazy(async () => (await hooks()).hookCheck));
  add(hook, "audit")
    .description("after a tool: records that it ran")
    .action(lazy(async () => (await hooks()).hookAudit));
  return root;
}
