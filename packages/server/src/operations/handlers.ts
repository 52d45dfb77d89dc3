import * as approval from "./approval.ts";
import * as audit from "./audit.ts";
import * as cap from "./cap.ts";
import * as cred from "./cred.ts";
import type { Handlers } from "./handler.ts";
import { whoami } from "./identity.ts";
import * as memory from "./memory.ts";
import { check } from "./permission.ts";
import { notImplemented } from "./stubs.ts";

export const handlers: Handlers = {
  identity_whoami: whoami,
  memory_get: memory.get,
  memory_put: memory.put,
  permission_check: check,
  cap_mint: cap.mint,
  cap_revoke: cap.revoke,
  audit_append: audit.append,
  delegation_grant: notImplemented,
  delegation_revoke: notImplemented,
  approval_request: approval.request,
  cred_store: cred.store,
  cred_fetch: cred.fetch,
};
