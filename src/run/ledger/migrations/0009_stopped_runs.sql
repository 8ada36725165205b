-- Who stopped a run before its end. Null for other runs.
ALTER TABLE runs ADD COLUMN stopped_by TEXT;

-- Who asked, and when, that the run under way be stopped; at most one row. The next run begins without it.
CREATE TABLE stop_request (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL
);
