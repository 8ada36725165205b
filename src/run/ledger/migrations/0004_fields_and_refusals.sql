-- Last night whose pull met a source field; null if only an older motcua met it.
ALTER TABLE fields_seen ADD COLUMN last_run INTEGER;
-- Rows that a pull refused to delete because they are many. `keys`: hashes of their keys, 8 bytes each, little-endian.
CREATE TABLE refused_deletions (
    connector TEXT NOT NULL,
    run INTEGER NOT NULL,
    keys BLOB NOT NULL,
    PRIMARY KEY (connector, run)
);
