-- The ledger's schema as motcua dac0eeb created it, without a version. For tests.
CREATE TABLE IF NOT EXISTS runs (
    run INTEGER PRIMARY KEY,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    complete INTEGER
);
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
    PRIMARY KEY (run, connector)
);
CREATE INDEX IF NOT EXISTS pulls_by_connector ON pulls (connector, run DESC);
CREATE TABLE IF NOT EXISTS quarantine (
    run INTEGER NOT NULL,
    connector TEXT NOT NULL,
    page INTEGER NOT NULL,
    row INTEGER NOT NULL,
    field TEXT,
    reason TEXT NOT NULL
);
CREATE INDEX IF NOT EXISTS quarantine_by_pull ON quarantine (connector, run);
CREATE TABLE IF NOT EXISTS fields_seen (
    connector TEXT NOT NULL,
    field TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (connector, field)
);
CREATE TABLE IF NOT EXISTS backfilled (
    connector TEXT NOT NULL,
    from_day TEXT NOT NULL,
    to_day TEXT NOT NULL,
    digest TEXT NOT NULL,
    slice TEXT NOT NULL,
    run INTEGER NOT NULL,
    PRIMARY KEY (connector, from_day, to_day, digest, slice)
);
CREATE TABLE IF NOT EXISTS slots (
    connector TEXT NOT NULL,
    slot INTEGER NOT NULL,
    state TEXT NOT NULL,
    tries INTEGER NOT NULL DEFAULT 0,
    made_up INTEGER NOT NULL DEFAULT 0,
    message TEXT,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (connector, slot)
);
CREATE TABLE IF NOT EXISTS pauses (
    connector TEXT PRIMARY KEY,
    since INTEGER NOT NULL,
    paused_by TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS publications (
    target TEXT PRIMARY KEY,
    run INTEGER,
    published_at INTEGER,
    failed_at INTEGER,
    failing_since INTEGER,
    tries INTEGER NOT NULL DEFAULT 0,
    message TEXT
);
CREATE TABLE IF NOT EXISTS alerts (
    subject TEXT PRIMARY KEY,
    state TEXT NOT NULL,
    since INTEGER,
    told_at INTEGER NOT NULL
);
ALTER TABLE runs ADD COLUMN purpose TEXT NOT NULL DEFAULT 'night';
ALTER TABLE pulls ADD COLUMN purpose TEXT NOT NULL DEFAULT 'night';
ALTER TABLE pulls ADD COLUMN connector_digest TEXT NOT NULL DEFAULT '';
ALTER TABLE pulls ADD COLUMN findings TEXT;
ALTER TABLE pulls ADD COLUMN landing_removed_at INTEGER;
ALTER TABLE quarantine ADD COLUMN key_hash INTEGER;
ALTER TABLE quarantine ADD COLUMN closed_by INTEGER;
ALTER TABLE quarantine ADD COLUMN read_by INTEGER;
ALTER TABLE slots ADD COLUMN cron TEXT NOT NULL DEFAULT '';
ALTER TABLE publications ADD COLUMN hint TEXT;
CREATE INDEX IF NOT EXISTS quarantine_open ON quarantine (connector, closed_by);
