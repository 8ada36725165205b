-- Large deletions that were refused, and that an operator accepted. `refused_by`: the run whose pull refused them. `rows`: their
-- number; a pull that would delete more does not use it. `used_by`: the run whose pull made them; null until then.
CREATE TABLE accepted_deletions (
    id INTEGER PRIMARY KEY,
    connector TEXT NOT NULL,
    refused_by INTEGER NOT NULL,
    rows INTEGER NOT NULL,
    accepted_by TEXT NOT NULL,
    accepted_at INTEGER NOT NULL,
    used_by INTEGER
);
