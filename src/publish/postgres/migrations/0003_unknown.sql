-- Version 3: what is unknown is counted. Nights before this version have null in the new columns.

ALTER TABLE {schema}.figure_latest ADD COLUMN unknown bigint;
ALTER TABLE {schema}.figure_latest ADD COLUMN undecided bigint;
ALTER TABLE {schema}.figure_latest ADD COLUMN ratio_least double precision;
ALTER TABLE {schema}.figure_latest ADD COLUMN ratio_most double precision;
ALTER TABLE {schema}.figure_latest DROP CONSTRAINT figure_latest_met;
ALTER TABLE {schema}.figure_latest ADD CONSTRAINT figure_latest_met CHECK (met IN ('true', 'false', 'open', 'unknown'));
ALTER TABLE {schema}.figures ADD COLUMN unknown bigint;
ALTER TABLE {schema}.figures ADD COLUMN undecided bigint;
ALTER TABLE {schema}.figures ADD COLUMN ratio_least double precision;
ALTER TABLE {schema}.figures ADD COLUMN ratio_most double precision;
ALTER TABLE {schema}.figures DROP CONSTRAINT figures_met;
ALTER TABLE {schema}.figures ADD CONSTRAINT figures_met CHECK (met IN ('true', 'false', 'open', 'unknown'));
COMMENT ON COLUMN {schema}.figure_latest.ratio IS 'Share between 0 and 1 with four decimals; null when nothing was received (không phát sinh), when all of it is unknown (không có dữ liệu), and for what is no ratio.';
COMMENT ON COLUMN {schema}.figure_latest.met IS 'true, false, open while what is pending could still reach the target, or unknown when what is unknown decides; null without target, without dossiers, and below the year of an annual target.';
COMMENT ON COLUMN {schema}.figure_latest.value IS 'What people read: the ratio, the count, or the mean or median amount; null of nothing and of what is all unknown.';
COMMENT ON COLUMN {schema}.figure_latest.unknown IS 'What is in the denominator while the data do not say whether it is in the numerator; of a mean or median the dossiers without a known amount; null when the night did not count it.';
COMMENT ON COLUMN {schema}.figure_latest.undecided IS 'What may belong to the denominator, while the data do not say whether it does; null when the night did not count it.';
COMMENT ON COLUMN {schema}.figure_latest.ratio_least IS 'The ratio if nothing that is unknown were in the numerator; null where unknown is null and for what is no ratio.';
COMMENT ON COLUMN {schema}.figure_latest.ratio_most IS 'The ratio if all that is unknown were in the numerator; null where ratio_least is.';
DO $$
DECLARE
    of_latest record;
BEGIN
    FOR of_latest IN
        SELECT latest.attname AS name, col_description(latest.attrelid, latest.attnum) AS about
        FROM pg_attribute AS latest
        WHERE latest.attrelid = '{schema}.figure_latest'::regclass
            AND latest.attname IN ('ratio', 'met', 'value', 'unknown', 'undecided', 'ratio_least', 'ratio_most')
    LOOP
        EXECUTE format('COMMENT ON COLUMN {schema}.figures.%I IS %L', of_latest.name, of_latest.about);
    END LOOP;
END
$$;
