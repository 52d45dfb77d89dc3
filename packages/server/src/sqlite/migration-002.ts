/** Questions to people, what they decided, and calls that may be met again. */
export const migration002 = `
-- rowid: the order of asking. shown and input are ciphertext.
CREATE TABLE approvals (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  call BLOB,
  actor TEXT NOT NULL,
  operator_omni TEXT NOT NULL,
  tool TEXT NOT NULL,
  scope TEXT,
  call_id TEXT NOT NULL,
  run_key TEXT,
  input_digest TEXT NOT NULL,
  begin_id TEXT NOT NULL,
  uncertain INTEGER NOT NULL,
  text_digest TEXT NOT NULL,
  digest TEXT NOT NULL,
  policy_version TEXT NOT NULL,
  reason TEXT NOT NULL,
  explanation TEXT NOT NULL,
  created_at INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  shown BLOB NOT NULL,
  input BLOB,
  status TEXT NOT NULL,
  decided TEXT,
  intent TEXT,
  executed_by TEXT,
  executed_at INTEGER,
  changed INTEGER NOT NULL
) STRICT;
CREATE UNIQUE INDEX approvals_changed ON approvals (changed);
CREATE INDEX approvals_call ON approvals (call) WHERE call IS NOT NULL;
-- An actor's look at its own never costs more than its own history, and what waits is found without any.
CREATE INDEX approvals_actor ON approvals (actor, status);
CREATE INDEX approvals_actor_changed ON approvals (actor, changed);
CREATE INDEX approvals_operator ON approvals (operator_omni, status);
CREATE INDEX approvals_call_id ON approvals (call_id, actor);
CREATE INDEX approvals_until ON approvals (expires_at, actor);
CREATE INDEX approvals_waiting ON approvals (changed) WHERE status = 'pending';
CREATE INDEX approvals_pending ON approvals (expires_at, actor) WHERE status = 'pending';
CREATE INDEX approvals_executed ON approvals (executed_by) WHERE executed_by IS NOT NULL;

CREATE TABLE approval_rules (
  number INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  actor TEXT NOT NULL,
  tool TEXT NOT NULL,
  operator_omni TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER,
  rule TEXT NOT NULL
) STRICT;
CREATE INDEX approval_rules_tool ON approval_rules (actor, tool, expires_at);

-- The latest accepted attempt at a call that may be met again. The key begins with the run's.
CREATE TABLE met_calls (
  call BLOB PRIMARY KEY,
  begin_id TEXT NOT NULL
) STRICT, WITHOUT ROWID;

-- Ciphertext, until kept_until (unix seconds).
CREATE TABLE call_results (
  begin_id TEXT PRIMARY KEY,
  run BLOB NOT NULL,
  sealed BLOB NOT NULL,
  kept_until INTEGER NOT NULL
) STRICT;
CREATE INDEX call_results_run ON call_results (run);
CREATE INDEX call_results_kept ON call_results (kept_until);
`;
