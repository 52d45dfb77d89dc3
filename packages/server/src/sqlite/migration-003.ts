/** Guarded calls are told by the log alone: an index finds their records, and one row is written for each. */
export const migration003 = `
-- Of a record about a guarded call: which one, and where it begins what its bytes do not say (JSON), or how it ended.
ALTER TABLE log ADD COLUMN begin_id TEXT;
ALTER TABLE log ADD COLUMN call TEXT;
ALTER TABLE log ADD COLUMN outcome TEXT;

-- Records of each call. Filled in runs, as log_runs. noted_by and noted_at (unix ms): only its end has come.
CREATE TABLE calls (
  begin_id TEXT PRIMARY KEY,
  intent_seq INTEGER,
  outcome_seq INTEGER,
  noted_by TEXT,
  noted_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX calls_noted ON calls (noted_at) WHERE noted_at IS NOT NULL;

DROP TRIGGER log_keeps_content;
UPDATE log SET begin_id = g.begin_id, call = json_object(
    'request_digest', g.request_digest, 'tool', g.tool, 'call_id', g.call_id, 'run_key', g.run_key,
    'verdict', g.verdict, 'answer', json(g.answer))
  FROM guard_calls g WHERE g.intent_seq = log.seq;
UPDATE log SET begin_id = g.begin_id, outcome = g.outcome
  FROM guard_calls g WHERE g.outcome_seq = log.seq;
CREATE TRIGGER log_keeps_content BEFORE UPDATE ON log
  BEGIN SELECT raise(ABORT, 'the log is append-only'); END;

INSERT INTO calls
  SELECT begin_id, intent_seq, outcome_seq, iif(noted_at IS NULL, NULL, actor), noted_at FROM guard_calls
  ORDER BY begin_id;
DROP TABLE guard_calls;

CREATE INDEX approvals_run ON approvals (run_key, actor) WHERE run_key IS NOT NULL;
`;
