import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll } from "vitest";
import { durableStoreSuite, storeSuite } from "../store.suite.ts";
import { openSqliteStore } from "./sqlite-store.ts";

const root = mkdtempSync(join(tmpdir(), "agentkeys-store-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const directory = () => mkdtempSync(join(root, "data-"));

storeSuite("sqlite in a directory", (clock) => openSqliteStore({ data: directory(), clock }));
storeSuite("sqlite in memory", (clock) => openSqliteStore({ data: ":memory:", clock }));

durableStoreSuite("sqlite in a directory", async () => {
  const data = directory();
  const reopen = () => openSqliteStore({ data });
  return { store: await reopen(), reopen };
});
