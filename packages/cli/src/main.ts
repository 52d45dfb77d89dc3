import { brokenHook } from "./commands/hook.ts";
import { exitCodeOf } from "./exit-code.ts";
import { program } from "./program.ts";

try {
  await program().parseAsync(process.argv);
} catch (error) {
  const [, , command, name] = process.argv;
  const code = exitCodeOf(error);
  if (command === "hook" && code !== 0) brokenHook(name, error);
  else process.exitCode = code;
}
