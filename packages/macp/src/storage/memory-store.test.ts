import { describe } from "vitest";
import { createMemoryStore } from "./memory-store.ts";
import { storeSuite } from "./store.suite.ts";

describe("memory", () => {
  storeSuite(() => {
    const store = createMemoryStore();
    return { store, reopen: () => store };
  });
});
