import { type HookCallback, type HookCallbackMatcher, query } from "@anthropic-ai/claude-agent-sdk";
import { expect, test } from "vitest";
import { scriptedClaude } from "./claude-agent-sdk.ts";

const script = [[{ name: "Bash", input: { command: "ls" } }], "done"];

async function play(hooks: Record<string, HookCallbackMatcher[]>, allowedTools = ["Bash"]) {
  const ran: unknown[] = [];
  const builtins = { Bash: (input: unknown) => `ran ${ran.push(input)}` };
  const claude = scriptedClaude(script, { builtins });
  const said: string[] = [];
  const options = { hooks, allowedTools, ...claude.options };
  for await (const message of query({ prompt: "go", options })) said.push(message.type);
  return { ran, said, answers: claude.answers };
}

const throwing: HookCallback = async () => {
  throw new Error("broken");
};
const output = (hookSpecificOutput: object): HookCallback => {
  return async () => ({
    hookSpecificOutput: { hookEventName: "PreToolUse", ...hookSpecificOutput },
  });
};

test("a call runs where a rule allows it, and the real SDK reads what the stand-in says", async () => {
  const { ran, said, answers } = await play({});
  expect(ran).toEqual([{ command: "ls" }]);
  expect(said).toEqual(["system", "assistant", "user", "assistant", "result"]);
  expect(answers).toEqual([{ id: "call-1", tool: "Bash", refused: false, text: "ran 1" }]);
  expect((await play({}, [])).answers).toMatchObject([{ refused: true }]);
});

test("a hook that fails blocks only where it is set to", async () => {
  const open = await play({ PreToolUse: [{ hooks: [throwing] }] });
  expect(open.ran).toHaveLength(1);
  const closed = await play({ PreToolUse: [{ hooks: [throwing], onFailure: "block" }] });
  expect(closed).toMatchObject({ ran: [], answers: [{ refused: true, text: "broken" }] });
});

test("a hook that is late has failed, and is told so", async () => {
  let told = false;
  const late: HookCallback = (_input, _id, { signal }) =>
    new Promise((resolve) => {
      signal.addEventListener("abort", () => {
        told = true;
        resolve({});
      });
    });
  const { ran } = await play({ PreToolUse: [{ hooks: [late], timeout: 0.01 }] });
  expect(ran).toHaveLength(1);
  expect(told).toBe(true);
});

test("a denial is final, an edit wins, and a matcher names its tools", async () => {
  const edit = output({ updatedInput: { command: "pwd" } });
  const allow = output({ permissionDecision: "allow" });
  const deny = output({ permissionDecision: "deny", permissionDecisionReason: "no" });
  expect((await play({ PreToolUse: [{ hooks: [edit, allow] }] }, [])).ran).toEqual([
    { command: "pwd" },
  ]);
  const denied = await play({ PreToolUse: [{ hooks: [allow] }, { hooks: [deny] }] });
  expect(denied).toMatchObject({ ran: [], answers: [{ refused: true, text: "no" }] });
  expect((await play({ PreToolUse: [{ matcher: "Read|Write", hooks: [deny] }] })).ran).toHaveLength(
    1,
  );
});
