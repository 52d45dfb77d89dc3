import type { Reporter, TestModule } from "vitest/node";

/** Prints one closing line with the counts, for people and for the log of a CI run. */
export default class SummaryReporter implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const n = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    for (const module of modules) {
      if (module.state() === "failed" && module.children.size === 0) n.failed += 1;
      for (const test of module.children.allTests()) n[test.result().state] += 1;
    }
    process.once("exit", () => {
      console.log(
        `tests: ${n.passed} passed, ${n.failed} failed, ${n.skipped + n.pending} skipped`,
      );
    });
  }
}
