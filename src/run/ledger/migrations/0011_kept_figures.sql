-- When vacuum found that the versions of figures do not give the night's figures again (microseconds UTC); null for other nights.
-- The versions of a run never change, so it is not looked at again.
ALTER TABLE runs ADD COLUMN figures_kept_at INTEGER;
