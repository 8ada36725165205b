-- The ledger's tables. `IF NOT EXISTS`: a ledger that was written before ledgers had a version has them already.
-- Instants are microseconds UTC; columns named `run` hold run numbers.

-- One row a run. `finished_at` is null while it is under way; `complete`: whether its figures are, null if it published none.
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    complete INTEGER,
    purpose TEXT NOT NULL DEFAULT 'night'
);
-- One row a pull. `state`: reading, settled (counts and cursor are written, the table's log decides whether they count), done.
CREATE TABLE IF NOT EXISTS pulls (
    run INTEGER NOT NULL,
    connector TEXT NOT NULL,
    state TEXT NOT NULL,
    outcome TEXT,
    reason TEXT,
    message TEXT,
    hint TEXT,
    received INTEGER NOT NULL DEFAULT 0,
    accepted INTEGER NOT NULL DEFAULT 0,
    unchanged INTEGER NOT NULL DEFAULT 0,
    duplicate INTEGER NOT NULL DEFAULT 0,
    superseded INTEGER NOT NULL DEFAULT 0,
    quarantined INTEGER NOT NULL DEFAULT 0,
    cursor TEXT,
    data_until INTEGER,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    purpose TEXT NOT NULL DEFAULT 'night',
    connector_digest TEXT NOT NULL DEFAULT '',
    findings TEXT,
    landing_removed_at INTEGER,
    PRIMARY KEY (run, connector)
);
CREATE INDEX IF NOT EXISTS pulls_by_connector ON pulls (connector, run DESC);
-- One row a rejected row of a pull; `rowid` is its id. `key_hash`: 64 bits of the SHA-256 of its key; `closed_by`: the run
-- since which it is no longer open; `read_by`: the run that read its page first.
CREATE TABLE IF NOT EXISTS quarantine (
    run INTEGER NOT NULL,
    connector TEXT NOT NULL,
    page INTEGER NOT NULL,
    row INTEGER NOT NULL,
    field TEXT,
    reason TEXT NOT NULL,
    key_hash INTEGER,
    closed_by INTEGER,
    read_by INTEGER
);
CREATE INDEX IF NOT EXISTS quarantine_by_pull ON quarantine (connector, run);
CREATE INDEX IF NOT EXISTS quarantine_open ON quarantine (connector, closed_by);
-- Source fields that pulls of a connector met, each with the first run that did.
CREATE TABLE IF NOT EXISTS fields_seen (
    connector TEXT NOT NULL,
    field TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (connector, field)
);
-- Slices that a backfill has read, so that a call after an interruption goes on behind them.
CREATE TABLE IF NOT EXISTS backfilled (
    connector TEXT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    digest TEXT NOT NULL,
    slice TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (connector, from_day, to_day, digest, slice)
);
-- Slots of the schedule and what was decided about each.
CREATE TABLE IF NOT EXISTS slots (
    connector TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    made_up INTEGER NOT NULL DEFAULT 0,
    message TEXT,
    decided_at INTEGER NOT NULL,
    cron TEXT NOT NULL DEFAULT '',
    PRIMARY KEY (connector, slot)
);
-- Connectors that an operator paused.
CREATE TABLE IF NOT EXISTS pauses (
    connector TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    paused_by TEXT NOT NULL
);
-- Newest night that each target outside the data folder holds, and the attempts that failed since.
CREATE TABLE IF NOT EXISTS publications (
    target TEXT PRIMARY KEY,
    run INTEGER,
    published_at INTEGER,
    failed_at INTEGER,
    failing_since INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    message TEXT,
    hint TEXT
);
-- State of each subject as it was last sent to the webhook.
CREATE TABLE IF NOT EXISTS alerts (
    subject TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since INTEGER,
    told_at INTEGER NOT NULL
);
