-- Which contents of files may have a key, where pulls merge their rows with those of other files. `key`: the hash of a key, or the
-- mark of one of which there is a part. `content`: a number made of the digest of the content. Rows are only added: one that
-- no longer holds costs a look at a content.
CREATE TABLE file_key_index (
    connector TEXT NOT NULL,
    key INTEGER NOT NULL,
    content INTEGER NOT NULL,
    PRIMARY KEY (connector, key, content)
) WITHOUT ROWID;
-- Whether the index has the keys of the content.
ALTER TABLE file_keys ADD COLUMN indexed INTEGER NOT NULL DEFAULT 0;
CREATE INDEX file_keys_without_index ON file_keys (connector, digest) WHERE indexed = 0;
-- What a pull wrote is deleted before it is written again.
CREATE INDEX file_keys_by_run ON file_keys (connector, run);
CREATE INDEX file_names_by_run ON file_names (connector, run);
