#!/usr/bin/env node
// Loaded only where it can run: an older Node.js fails on its imports, with a stack instead of a reason.
const [major = 0, minor = 0] = process.versions.node.split(".").map(Number);
if (major > 22 || (major === 22 && minor >= 19)) await import("agentkeys/main");
else refuse(`needs Node.js 22.19 or newer, this is ${process.versions.node}`);

/** @param {string} reason */
function refuse(reason) {
  process.stderr.write(`agentkeys: ${reason}\n`);
  const [, , command, name] = process.argv;
  if (command !== "hook") process.exitCode = 1;
  else if (name === "audit") process.stdout.write("{}\n");
  else block(`agentkeys_unreachable: ${reason}`);
}

/**
 * With exit code 0: a host takes any other one for "go on".
 * @param {string} reason
 */
function block(reason) {
  process.stdout.write(`${JSON.stringify({ decision: "block", reason })}\n`);
}
