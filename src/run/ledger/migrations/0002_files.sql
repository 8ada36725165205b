-- What the files of folders hold. Names of files are digests, keys are hashes.

-- One row a change of a file name, by the run that found it; the newest run of a name counts. `digest`: SHA-256 of the content,
-- empty if the name no longer counts. `landed_by`: the run in whose landing the rows of the content are. `former`: earlier contents
-- with rows that were not deleted, as JSON.
CREATE TABLE file_names (
    connector TEXT NOT NULL,
    name TEXT NOT NULL,
    run INTEGER NOT NULL,
    digest TEXT NOT NULL,
    landed_by INTEGER NOT NULL,
    ordered_at INTEGER NOT NULL,
    modified_at INTEGER NOT NULL,
    former TEXT NOT NULL,
    PRIMARY KEY (connector, name, run)
);
-- Keys of a content, by the run that wrote them; the newest run counts.
CREATE TABLE file_keys (
    connector TEXT NOT NULL,
    digest TEXT NOT NULL,
    landed_by INTEGER NOT NULL,
    run INTEGER NOT NULL,
    keys BLOB NOT NULL,
    PRIMARY KEY (connector, digest, landed_by, run)
);
