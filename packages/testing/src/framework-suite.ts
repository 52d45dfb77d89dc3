import { describe } from "vitest";
import type { FrameworkDriver } from "./framework-driver.ts";
import { brokenAuthorityCases } from "./suite/broken-authority.ts";
import { canaryCases, vaultCanaryCases } from "./suite/canaries.ts";
import { decisionCases } from "./suite/decisions.ts";
import { ownToolCases } from "./suite/own-tools.ts";
export { restartSuite } from "./suite/restart.ts";
import { concurrencyCases, generatorCases, shapeCases } from "./suite/shapes.ts";

/** What every framework package must pass: run it in a vitest file with the framework's driver. */
export function frameworkSuite(driver: FrameworkDriver): void {
  const groups = {
    decisions: decisionCases,
    "call shapes": shapeCases,
    ...(driver.generators && { "streaming tools": generatorCases }),
    ...(driver.decidesAtOnce && { "calls at once": concurrencyCases }),
    "AgentKeys tools": ownToolCases,
    "broken authority": brokenAuthorityCases,
    canaries: canaryCases,
    "canaries of the vault": vaultCanaryCases,
  };
  for (const [group, cases] of Object.entries(groups)) {
    describe(`${driver.name}: ${group}`, () => cases(driver));
  }
}
