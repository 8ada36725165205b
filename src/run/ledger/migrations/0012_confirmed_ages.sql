-- When a person last had old files removed (microseconds UTC), and so took the clock for right; at most one row.
CREATE TABLE confirmed_ages (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    confirmed_at INTEGER NOT NULL
);
