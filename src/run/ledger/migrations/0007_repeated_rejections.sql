-- How many pulls in a row rejected the same row for the same reason, the own one included.
ALTER TABLE quarantine ADD COLUMN times INTEGER NOT NULL DEFAULT 1;
-- The first of these pulls; null: the own one.
ALTER TABLE quarantine ADD COLUMN first_run INTEGER;
