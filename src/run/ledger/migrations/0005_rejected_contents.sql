-- Digest of the content of the file that a rejected row is in; null for other sources, and for rows of an older motcua.
ALTER TABLE quarantine ADD COLUMN content TEXT;
-- Whether a rejection is closed because another row of a file counts. It may be opened again.
ALTER TABLE quarantine ADD COLUMN is_covered INTEGER NOT NULL DEFAULT FALSE;
