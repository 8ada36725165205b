//! One night's transaction: COPY beside, add what changed to the history, replace the newest night and the small tables.

use jiff::civil::Date;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::model::agency::Agency;
use crate::model::figure::{Met, Night};
use crate::model::indicator::{Better, Definition};
use crate::model::instant;
use crate::publish::postgres::copy::{Row, copy};
use crate::publish::postgres::{ConnectorRow, Edition, PostgresError, Target, begin, commit, run};
use crate::publish::rows::COLUMNS;
use crate::publish::{FigureRow, MetWord};

/// What makes a figure the same figure on another night.
const KEY: [&str; 5] = ["indicator", "rules", "period", "tier", "agency"];
/// What a night may change of a figure, or what follows from its key.
const CONTENT: [&str; 12] = [
    "definition",
    "agency_name",
    "period_start",
    "period_end",
    "numerator",
    "denominator",
    "ratio",
    "target",
    "met",
    "unmatched",
    "kind",
    "value",
];

/// Replaces what is published by a night, in one transaction; gives its figures, and rows added to the history.
pub(super) async fn replace(
    connection: &mut PgConnection,
    target: &Target,
    edition: &Edition<'_>,
) -> Result<(u64, u64), PostgresError> {
    let failed = || target.failed("publish");
    begin(connection, target).await.map_err(failed())?;
    refuse_other_nights(connection, target, &edition.record.night).await?;
    let written = write(connection, target, edition).await.map_err(failed())?;
    commit(connection).await.map_err(failed())?;
    Ok(written)
}

/// A night replaces an older one or itself.
async fn refuse_other_nights(
    connection: &mut PgConnection,
    target: &Target,
    night: &Night,
) -> Result<(), PostgresError> {
    let schema = target.quoted_schema();
    let asked = format!(
        "SELECT max(run), coalesce(bool_or(as_of <> $2::text::timestamptz) FILTER (WHERE run = $1), false) FROM {schema}.runs"
    );
    let (held, is_other): (Option<i64>, bool) = sqlx::query_as(AssertSqlSafe(asked))
        .bind(night.run)
        .bind(instant::display(night.as_of))
        .fetch_one(connection)
        .await
        .map_err(target.failed("publish"))?;
    let (schema, place) = (target.schema.clone(), target.place().to_owned());
    match held {
        Some(held) if held > night.run => Err(PostgresError::NewerRun { schema, place, held, run: night.run }),
        _ if is_other => Err(PostgresError::OtherFolder { schema, place, run: night.run }),
        _ => Ok(()),
    }
}

async fn write(
    connection: &mut PgConnection,
    target: &Target,
    edition: &Edition<'_>,
) -> Result<(u64, u64), sqlx::Error> {
    let (schema, night) = (target.quoted_schema(), &edition.record.night);
    let latest = format!("{schema}.figure_latest");
    run(connection, format!("CREATE TEMPORARY TABLE incoming (LIKE {latest}) ON COMMIT DROP")).await?;
    let rows = edition.figures.iter().map(|figure| FigureRow::new(figure, night));
    let figures = copy(connection, "pg_temp.incoming", &COLUMNS, rows, |row, of| figure(row, &of)).await?;
    run(connection, "ANALYZE pg_temp.incoming".to_owned()).await?;
    let changed = run(connection, history(&schema, night.run)).await?;
    // No TRUNCATE: it would wait for every reader, and readers for it.
    run(connection, format!("DELETE FROM {latest}")).await?;
    let columns = COLUMNS.join(", ");
    run(connection, format!("INSERT INTO {latest} ({columns}) SELECT {columns} FROM pg_temp.incoming")).await?;
    replace_small(connection, &schema, "indicators", &INDICATORS, edition.indicators.iter(), indicator).await?;
    replace_small(connection, &schema, "agencies", &AGENCIES, edition.agencies.iter(), agency).await?;
    replace_small(connection, &schema, "connectors", &CONNECTORS, edition.connectors.iter(), connector).await?;
    // The same night again keeps the moment at which it was published first.
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {schema}.runs (run, as_of, complete, data_until, not_whole, figures, published_at) VALUES \
         ($1, $2::text::timestamptz, $3, $4::text::timestamptz, $5, $6, $7::text::timestamptz) \
         ON CONFLICT (run) DO NOTHING"
    )))
    .bind(night.run)
    .bind(instant::display(night.as_of))
    .bind(night.complete)
    .bind(night.data_until.map(instant::display))
    .bind(&edition.record.not_whole)
    .bind(i64::try_from(figures).unwrap_or(i64::MAX))
    .bind(instant::display(edition.published_at))
    .execute(connection)
    .await?;
    Ok((figures, changed))
}

/// Adds to the history what differs between the newest night and the incoming one. The history without what follows from it is
/// `figure_latest`: both are written in one transaction.
fn history(schema: &str, run: i64) -> String {
    let all = [&KEY[..], &CONTENT[..]].concat();
    let of = |table: &str, columns: &[&str]| {
        columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
    };
    let same = KEY.map(|column| match column {
        "tier" | "agency" => format!("coalesce(old.{column}, '') = coalesce(new.{column}, '')"),
        column => format!("old.{column} = new.{column}"),
    });
    let (columns, same) = (all.join(", "), same.join(" AND "));
    format!(
        "INSERT INTO {schema}.figures (run, gone, {columns}) \
         SELECT {run}, false, {new} FROM pg_temp.incoming AS new LEFT JOIN {schema}.figure_latest AS old ON {same} \
         WHERE old.indicator IS NULL OR ({old_content}) IS DISTINCT FROM ({new_content}) \
         UNION ALL \
         SELECT {run}, true, {old} FROM {schema}.figure_latest AS old \
         WHERE NOT EXISTS (SELECT FROM pg_temp.incoming AS new WHERE {same})",
        new = of("new", &all),
        old = of("old", &all),
        old_content = of("old", &CONTENT),
        new_content = of("new", &CONTENT),
    )
}

async fn replace_small<T>(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
    columns: &[&str],
    rows: impl Iterator<Item = T>,
    write: impl Fn(&mut Row<'_>, T),
) -> Result<(), sqlx::Error> {
    let table = format!("{schema}.{table}");
    run(connection, format!("DELETE FROM {table}")).await?;
    copy(connection, &table, columns, rows, write).await?;
    Ok(())
}

/// In the order of [`COLUMNS`].
fn figure(row: &mut Row<'_>, figure: &FigureRow<'_>) {
    let met = figure.met.map(|MetWord(met)| match met {
        Met::Yes => "true",
        Met::No => "false",
        Met::Open => "open",
    });
    row.cell(figure.indicator)
        .cell(figure.definition)
        .cell(figure.rules)
        .optional(figure.agency)
        .optional(figure.agency_name)
        .optional(figure.tier)
        .cell(&figure.period)
        .cell(&figure.period_start)
        .cell(&figure.period_end)
        .cell(figure.numerator)
        .optional(figure.denominator)
        .optional(figure.ratio)
        .optional(figure.target)
        .optional(met)
        .cell(figure.complete)
        .optional(figure.data_until.as_ref())
        .optional(figure.unmatched)
        .cell(&figure.as_of)
        .cell(figure.run)
        .cell(figure.kind)
        .optional(figure.value);
}

const INDICATORS: [&str; 14] = [
    "indicator",
    "definition",
    "kind",
    "title_vi",
    "title_en",
    "legal_document",
    "legal_place",
    "in_force_from",
    "rules",
    "target",
    "better",
    "lead_agency",
    "evidence",
    "note",
];

fn indicator(row: &mut Row<'_>, (definition, digest): &(&Definition, &str)) {
    row.cell(&definition.id)
        .cell(digest)
        .cell(definition.kind.name())
        .cell(&definition.title.vi)
        .cell(&definition.title.en)
        .cell(&definition.legal.document)
        .cell(&definition.legal.place)
        .optional(definition.legal.from.parse::<Date>().ok())
        .cell(&definition.rules)
        .optional(definition.target.map(|target| target.at_least))
        .cell(match definition.better {
            Better::Higher => "higher",
            Better::Lower => "lower",
        })
        .optional(definition.lead_agency.as_ref())
        .optional(definition.evidence.as_ref())
        .optional(definition.note.as_ref());
}

const AGENCIES: [&str; 10] =
    ["agency", "name", "kind", "tier", "vertical", "parent", "valid_from", "valid_to", "other_codes", "aliases"];

fn agency(row: &mut Row<'_>, agency: &Agency) {
    row.cell(&agency.code)
        .cell(&agency.name)
        .cell(agency.kind.name())
        .cell(agency.tier.name())
        .cell(agency.vertical)
        .optional(agency.parent.as_ref())
        .optional(agency.valid_from)
        .optional(agency.valid_to)
        .list(&agency.other_codes)
        .list(&agency.aliases);
}

const CONNECTORS: [&str; 9] =
    ["connector", "title", "kind", "state", "since", "reason_code", "hint", "last_success", "data_until"];

fn connector(row: &mut Row<'_>, connector: &ConnectorRow) {
    row.cell(&connector.connector)
        .cell(&connector.title)
        .cell(connector.kind)
        .cell(connector.state)
        .optional(connector.since.map(instant::display))
        .optional(connector.reason_code.as_ref())
        .optional(connector.hint.as_ref())
        .optional(connector.last_success.map(instant::display))
        .optional(connector.data_until.map(instant::display));
}
