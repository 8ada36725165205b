-- Hash of a rejected row that states a part of its record: the same row has it again. Null for other rows, and for rows of an
-- older motcua.
ALTER TABLE quarantine ADD COLUMN row_hash INTEGER;
