-- Digest of the content of the file that a rejected row is in; null for other sources, and for rows of an older motcua.
ALTER TABLE quarantine ADD COLUMN content TEXT;
