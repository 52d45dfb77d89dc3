import { writeFileSync } from "node:fs";
import { readRepository, repositoryRoot } from "./repository.ts";
import { pinsPath, readPins } from "./rules/export-pins.ts";

// Accepts the present exports of every published entry point as promised.
writeFileSync(
  repositoryRoot + pinsPath,
  `${JSON.stringify(readPins(readRepository()), null, 2)}\n`,
);
