/** The log, guarded calls, capabilities, revocations and the encrypted rows. */
export const migration001 = `
CREATE TABLE log (
  seq INTEGER PRIMARY KEY,
  hash BLOB NOT NULL,
  bytes BLOB NOT NULL
) STRICT;
-- Finds a record by the first bytes of its hash. Filled in runs: see the log.
CREATE TABLE log_runs (
  run INTEGER NOT NULL,
  prefix BLOB NOT NULL,
  seq INTEGER NOT NULL,
  PRIMARY KEY (run, prefix, seq)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER log_keeps_rows BEFORE DELETE ON log
  BEGIN SELECT raise(ABORT, 'the log is append-only'); END;
CREATE TRIGGER log_keeps_content BEFORE UPDATE ON log
  BEGIN SELECT raise(ABORT, 'the log is append-only'); END;

-- A row whose end came before its begin has noted_at (unix ms) and nothing else of the call.
CREATE TABLE guard_calls (
  begin_id TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  operator_omni TEXT,
  request_digest TEXT,
  tool TEXT,
  call_id TEXT,
  run_key TEXT,
  verdict TEXT,
  answer TEXT,
  intent_seq INTEGER,
  outcome TEXT,
  outcome_seq INTEGER,
  noted_at INTEGER
) STRICT;
CREATE INDEX guard_calls_noted ON guard_calls (noted_at) WHERE noted_at IS NOT NULL;

CREATE TABLE caps (
  nonce TEXT PRIMARY KEY,
  actor TEXT NOT NULL,
  expires_at INTEGER NOT NULL,
  revoked_at INTEGER
) STRICT;

CREATE TABLE revoked_actors (
  actor TEXT PRIMARY KEY,
  reason TEXT NOT NULL,
  revoked_at INTEGER NOT NULL,
  record_seq INTEGER NOT NULL
) STRICT;

-- Ciphertext by actor and namespace, and by owner and service.
CREATE TABLE memories (
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  blob BLOB NOT NULL,
  PRIMARY KEY (owner, name)
) STRICT;
CREATE TABLE credentials (
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  blob BLOB NOT NULL,
  PRIMARY KEY (owner, name)
) STRICT;

CREATE TABLE actor_keys (
  actor TEXT PRIMARY KEY,
  wrapped BLOB NOT NULL
) STRICT;

-- One row, rewritten to learn whether a write is durable right now.
CREATE TABLE readiness (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  checked_at INTEGER NOT NULL
) STRICT;
`;
