// A stand-in for the Claude Code program, as a process of its own.
import { playClaudeCode } from "@agentkeys/testing/claude-agent-sdk";

const call = (price: number) => [{ name: "mcp__shop__order_food", input: { price } }];
playClaudeCode([
  [...call(600), ...call(200), { name: "Bash", input: { command: "rm -rf /" } }],
  "done",
]);
