-- Version 1. `{schema}` is replaced by the quoted name of the schema.

CREATE TABLE {schema}.runs (
    run bigint PRIMARY KEY,
    as_of timestamptz NOT NULL,
    complete boolean NOT NULL,
    data_until timestamptz,
    not_whole text[] NOT NULL,
    figures bigint NOT NULL,
    published_at timestamptz NOT NULL
);
COMMENT ON TABLE {schema}.runs IS 'The nights that were published here, one row each. A night during which this database was down may be missing.';
COMMENT ON COLUMN {schema}.runs.run IS 'Number of the night''s run; later nights have higher numbers.';
COMMENT ON COLUMN {schema}.runs.as_of IS 'The moment that the night''s figures speak of.';
COMMENT ON COLUMN {schema}.runs.complete IS 'Every connector was read whole; else the figures are provisional.';
COMMENT ON COLUMN {schema}.runs.data_until IS 'Newest dossier date of the connector that lags most.';
COMMENT ON COLUMN {schema}.runs.not_whole IS 'Connectors that keep the night from being complete.';
COMMENT ON COLUMN {schema}.runs.figures IS 'How many figures the night has.';
COMMENT ON COLUMN {schema}.runs.published_at IS 'When the night was published here first.';

CREATE TABLE {schema}.figure_latest (
    indicator text NOT NULL,
    definition text NOT NULL,
    rules text NOT NULL,
    agency text,
    agency_name text,
    tier text,
    period text NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL,
    numerator bigint NOT NULL,
    denominator bigint,
    ratio double precision,
    target double precision,
    met text,
    complete boolean NOT NULL,
    data_until timestamptz,
    unmatched double precision,
    as_of timestamptz NOT NULL,
    run bigint NOT NULL,
    kind text NOT NULL,
    value double precision,
    CONSTRAINT figure_latest_met CHECK (met IN ('true', 'false', 'open'))
);
-- The key of a figure; agency and tier may be null, which PostgreSQL before 15 counts as different.
CREATE UNIQUE INDEX figure_latest_key
    ON {schema}.figure_latest (indicator, rules, period, (coalesce(tier, '')), (coalesce(agency, '')));
CREATE INDEX figure_latest_agency ON {schema}.figure_latest (agency, period);
CREATE INDEX figure_latest_period ON {schema}.figure_latest (period, indicator);
COMMENT ON TABLE {schema}.figure_latest IS 'The figures of the newest published night, whole. The columns are those of `motcua report --format json`.';
COMMENT ON COLUMN {schema}.figure_latest.indicator IS 'Id of the indicator; see table indicators.';
COMMENT ON COLUMN {schema}.figure_latest.definition IS 'Digest of definition and rule set that the figure was computed by.';
COMMENT ON COLUMN {schema}.figure_latest.rules IS 'Rule set that the figure was computed by.';
COMMENT ON COLUMN {schema}.figure_latest.agency IS 'Code of the agency; null for a whole tier or the province.';
COMMENT ON COLUMN {schema}.figure_latest.agency_name IS 'Name of the agency as of the night.';
COMMENT ON COLUMN {schema}.figure_latest.tier IS 'province, district or commune; null for the province as a whole and for an agency that is not in the registry.';
COMMENT ON COLUMN {schema}.figure_latest.period IS 'Name of the period: 2026, 2026-Q3, 2026-09, …; a final s stands for the statutory form from the 15th to the 14th.';
COMMENT ON COLUMN {schema}.figure_latest.period_start IS 'First day of the period.';
COMMENT ON COLUMN {schema}.figure_latest.period_end IS 'Last day of the period.';
COMMENT ON COLUMN {schema}.figure_latest.numerator IS 'What counts; of a mean the sum of the amounts, of a median the amount itself.';
COMMENT ON COLUMN {schema}.figure_latest.denominator IS 'What it is held against; null for a count and a stock.';
COMMENT ON COLUMN {schema}.figure_latest.ratio IS 'Share between 0 and 1 with four decimals; null when nothing was received (không phát sinh) and for what is no ratio.';
COMMENT ON COLUMN {schema}.figure_latest.target IS 'What the law asks for: a share, or a number for a count.';
COMMENT ON COLUMN {schema}.figure_latest.met IS 'true, false, or open while what is pending could still reach the target; null without target or without dossiers.';
COMMENT ON COLUMN {schema}.figure_latest.complete IS 'Every connector was read whole; else the figure is provisional.';
COMMENT ON COLUMN {schema}.figure_latest.data_until IS 'Newest dossier date of the connector that lags most.';
COMMENT ON COLUMN {schema}.figure_latest.unmatched IS 'Share of the numerator for which only one of portal and post has evidence; null where post plays no part.';
COMMENT ON COLUMN {schema}.figure_latest.as_of IS 'The moment that the figure speaks of.';
COMMENT ON COLUMN {schema}.figure_latest.run IS 'The night; the same in every row.';
COMMENT ON COLUMN {schema}.figure_latest.kind IS 'ratio, count, mean, median or stock.';
COMMENT ON COLUMN {schema}.figure_latest.value IS 'What people read: the ratio, the count, or the mean or median amount; null of nothing.';

CREATE TABLE {schema}.figures (
    run bigint NOT NULL,
    gone boolean NOT NULL,
    indicator text NOT NULL,
    definition text NOT NULL,
    rules text NOT NULL,
    agency text,
    agency_name text,
    tier text,
    period text NOT NULL,
    period_start date NOT NULL,
    period_end date NOT NULL,
    numerator bigint NOT NULL,
    denominator bigint,
    ratio double precision,
    target double precision,
    met text,
    unmatched double precision,
    kind text NOT NULL,
    value double precision,
    CONSTRAINT figures_met CHECK (met IN ('true', 'false', 'open'))
);
CREATE UNIQUE INDEX figures_key
    ON {schema}.figures (indicator, rules, period, (coalesce(tier, '')), (coalesce(agency, '')), run DESC);
CREATE INDEX figures_run ON {schema}.figures (run);
COMMENT ON TABLE {schema}.figures IS 'History: a row for every figure that a night changed. Ask for the figures of a past night with figures_as_of(run).';
COMMENT ON COLUMN {schema}.figures.run IS 'The night from which on the figure is this; as_of, complete and data_until of a night stand in table runs.';
COMMENT ON COLUMN {schema}.figures.gone IS 'The night no longer has the figure; the other columns are those that it had last.';
DO $$
DECLARE
    of_latest record;
BEGIN
    -- The other columns are those of figure_latest.
    FOR of_latest IN
        SELECT latest.attname AS name, col_description(latest.attrelid, latest.attnum) AS about
        FROM pg_attribute AS latest
        JOIN pg_attribute AS figure ON figure.attname = latest.attname AND figure.attrelid = '{schema}.figures'::regclass
        WHERE latest.attrelid = '{schema}.figure_latest'::regclass AND latest.attnum > 0 AND latest.attname <> 'run'
    LOOP
        EXECUTE format('COMMENT ON COLUMN {schema}.figures.%I IS %L', of_latest.name, of_latest.about);
    END LOOP;
END
$$;

CREATE FUNCTION {schema}.figures_as_of(as_of_run bigint) RETURNS SETOF {schema}.figures
    LANGUAGE sql STABLE
    AS $$
        SELECT newest.* FROM (
            SELECT DISTINCT ON (
                figure.indicator, figure.rules, figure.period, coalesce(figure.tier, ''), coalesce(figure.agency, '')
            ) figure.*
            FROM {schema}.figures AS figure
            WHERE figure.run <= as_of_run
            ORDER BY figure.indicator, figure.rules, figure.period, coalesce(figure.tier, ''),
                coalesce(figure.agency, ''), figure.run DESC
        ) AS newest
        WHERE NOT newest.gone
    $$;
COMMENT ON FUNCTION {schema}.figures_as_of(bigint) IS 'The figures as they stood after a run: of each the newest row at or before it, unless it is gone. Column run says which night changed it last.';

CREATE TABLE {schema}.indicators (
    indicator text PRIMARY KEY,
    definition text NOT NULL,
    kind text NOT NULL,
    title_vi text NOT NULL,
    title_en text NOT NULL,
    legal_document text NOT NULL,
    legal_place text NOT NULL,
    in_force_from date,
    rules text NOT NULL,
    target double precision,
    better text NOT NULL,
    lead_agency text,
    evidence text,
    note text
);
COMMENT ON TABLE {schema}.indicators IS 'The indicators as the newest published night defined them.';
COMMENT ON COLUMN {schema}.indicators.indicator IS 'Id, for example par-3.4.1.';
COMMENT ON COLUMN {schema}.indicators.definition IS 'Digest of definition and rule set; the same as in the figures of the night.';
COMMENT ON COLUMN {schema}.indicators.kind IS 'ratio, count, mean, median or stock.';
COMMENT ON COLUMN {schema}.indicators.title_vi IS 'Title in Vietnamese, as the document words it.';
COMMENT ON COLUMN {schema}.indicators.title_en IS 'Title in English.';
COMMENT ON COLUMN {schema}.indicators.legal_document IS 'Document that asks for the indicator.';
COMMENT ON COLUMN {schema}.indicators.legal_place IS 'Place in the document.';
COMMENT ON COLUMN {schema}.indicators.in_force_from IS 'Day from which the document is in force.';
COMMENT ON COLUMN {schema}.indicators.rules IS 'Rule set that says what is received, due and on time.';
COMMENT ON COLUMN {schema}.indicators.target IS 'At least this share, or this number for a count; null without target.';
COMMENT ON COLUMN {schema}.indicators.better IS 'higher or lower.';
COMMENT ON COLUMN {schema}.indicators.lead_agency IS 'Who answers for it.';
COMMENT ON COLUMN {schema}.indicators.evidence IS 'What proves it.';
COMMENT ON COLUMN {schema}.indicators.note IS 'What the law leaves open and how it is read.';

CREATE TABLE {schema}.agencies (
    agency text PRIMARY KEY,
    name text NOT NULL,
    kind text NOT NULL,
    tier text NOT NULL,
    vertical boolean NOT NULL,
    parent text,
    valid_from date,
    valid_to date,
    other_codes text[] NOT NULL,
    aliases text[] NOT NULL
);
COMMENT ON TABLE {schema}.agencies IS 'The registry of agencies as the newest published night read it, those that ended included.';
COMMENT ON COLUMN {schema}.agencies.agency IS 'Code; the figures'' column agency.';
COMMENT ON COLUMN {schema}.agencies.name IS 'Name.';
COMMENT ON COLUMN {schema}.agencies.kind IS 'specialised, service_centre, district, commune or other.';
COMMENT ON COLUMN {schema}.agencies.tier IS 'province, district or commune.';
COMMENT ON COLUMN {schema}.agencies.vertical IS 'Local branch of a central body, outside the province''s indicators.';
COMMENT ON COLUMN {schema}.agencies.parent IS 'Code of the agency above it.';
COMMENT ON COLUMN {schema}.agencies.valid_from IS 'First day; null if it is not known.';
COMMENT ON COLUMN {schema}.agencies.valid_to IS 'Last day; null while it stands.';
COMMENT ON COLUMN {schema}.agencies.other_codes IS 'Codes under which sources also name it.';
COMMENT ON COLUMN {schema}.agencies.aliases IS 'Names under which sources also name it.';

CREATE TABLE {schema}.connectors (
    connector text PRIMARY KEY,
    title text NOT NULL,
    kind text NOT NULL,
    state text NOT NULL,
    since timestamptz,
    reason_code text,
    hint text,
    last_success timestamptz,
    data_until timestamptz
);
COMMENT ON TABLE {schema}.connectors IS 'How each connector stood on the newest published night.';
COMMENT ON COLUMN {schema}.connectors.connector IS 'Name.';
COMMENT ON COLUMN {schema}.connectors.title IS 'What it reads.';
COMMENT ON COLUMN {schema}.connectors.kind IS 'Table that it fills: dossiers, postal_items, feedback, measures, dossier_notes or procedures.';
COMMENT ON COLUMN {schema}.connectors.state IS 'healthy, late, incomplete, failing, drifted, degraded, never_run or disabled.';
COMMENT ON COLUMN {schema}.connectors.since IS 'Since when it is in this state.';
COMMENT ON COLUMN {schema}.connectors.reason_code IS 'Code of the reason; the words stand in `motcua status`.';
COMMENT ON COLUMN {schema}.connectors.hint IS 'What to do.';
COMMENT ON COLUMN {schema}.connectors.last_success IS 'When it was last read whole.';
COMMENT ON COLUMN {schema}.connectors.data_until IS 'Newest date among its records.';
