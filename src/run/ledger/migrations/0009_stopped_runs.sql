-- Who stopped a run before its end. Null for other runs.
ALTER TABLE runs ADD COLUMN stopped_by TEXT;

-- Who asked first, and when, that a run be stopped. Those about runs that have ended are removed by whoever takes the lock of the data
-- folder.
CREATE TABLE stop_request (
    run INTEGER PRIMARY KEY,
    asked_by TEXT NOT NULL,
    asked_at INTEGER NOT NULL
);
