-- Version 2: whether a target is set for the year. `{schema}` is replaced by the quoted name of the schema.

ALTER TABLE {schema}.figure_latest ADD COLUMN target_period text;
COMMENT ON COLUMN {schema}.figure_latest.target_period IS 'year if the target is judged for years only, so that met is null for shorter periods; else null.';
COMMENT ON COLUMN {schema}.figure_latest.met IS 'true, false, or open while what is pending could still reach the target; null without target, without dossiers, and below the year of an annual target.';
ALTER TABLE {schema}.figures ADD COLUMN target_period text;
COMMENT ON COLUMN {schema}.figures.target_period IS 'year if the target is judged for years only, so that met is null for shorter periods; else null.';
COMMENT ON COLUMN {schema}.figures.met IS 'true, false, or open while what is pending could still reach the target; null without target, without dossiers, and below the year of an annual target.';
ALTER TABLE {schema}.indicators ADD COLUMN target_period text;
COMMENT ON COLUMN {schema}.indicators.target_period IS 'year if the target is judged for years only; else null.';
