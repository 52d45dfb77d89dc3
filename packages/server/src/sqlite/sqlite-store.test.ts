import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, onTestFinished, test } from "vitest";
import { record } from "../store/store-samples.suite.ts";
import { durableStoreSuite, storeSuite } from "../store/store.suite.ts";
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

test("with hardly any room left on the disk it is not ready, and goes on while it can", async () => {
  const spare = Number.MAX_SAFE_INTEGER;
  const store = await openSqliteStore({ data: directory(), spare });
  onTestFinished(() => store.close());
  const reason = {
    code: "audit_unavailable",
    message: "audit_append failed: the disk is almost full",
  };
  await expect(store.ready()).rejects.toMatchObject(reason);
  expect((await store.append(record(1))).seq).toBe(1);
});
