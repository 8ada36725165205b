-- Who stopped a run before its end. Null for other runs.
ALTER TABLE runs ADD COLUMN stopped_by TEXT;

-- Who asked, and when, that the run under way be stopped; at most one row. Whoever takes the lock of the data folder removes it.
CREATE TABLE stop_request (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL
);
