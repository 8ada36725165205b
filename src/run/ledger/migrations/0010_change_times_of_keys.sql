-- How the change times of the keys were read: a number made of the declaration of that column. Null: not known, and taken for the
-- present one.
ALTER TABLE file_keys ADD COLUMN change_times INTEGER;
-- Which contents need not be looked at is read from the index alone: keys of contents are long.
DROP INDEX file_keys_without_index;
CREATE INDEX file_keys_looked_at ON file_keys (connector, digest, landed_by, run, indexed, change_times);
