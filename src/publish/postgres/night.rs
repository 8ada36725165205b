//! The transaction of one night: COPY into a temporary table, append the changes to the history, replace the newest
//! night and the small tables.

use jiff::civil::Date;
use sqlx::AssertSqlSafe;
use sqlx::postgres::PgConnection;

use crate::indicators::{FigureCell, FigureColumnRole, key_columns, met_word, row_columns};
use crate::model::agency::Agency;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::{Better, IndicatorDefinition, Target};
use crate::model::instant;
use crate::publish::figure_rows::FigureRow;
use crate::publish::nights::NightRecord;
use crate::publish::postgres::copy_rows::{CopyRow, copy_rows};
use crate::publish::postgres::error::PostgresError;
use crate::publish::postgres::sql::{begin, commit_night, execute};
use crate::publish::postgres::target::PostgresTarget;

/// All that is published of one night.
#[derive(Debug)]
pub struct NightPublication<'a> {
    pub record: &'a NightRecord,
    pub figures: &'a [Figure],
    /// The night's definitions with their digests.
    pub indicators: &'a [(&'a IndicatorDefinition, &'a str)],
    pub agencies: &'a [Agency],
    pub connectors: &'a [ConnectorRow],
    /// Microseconds UTC.
    pub published_at: i64,
}

/// State of a connector as of the night: a row of table `connectors`. Instants in microseconds UTC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConnectorRow {
    pub connector: String,
    pub title: String,
    /// Table that the connector fills.
    pub kind: &'static str,
    pub state: &'static str,
    pub since: Option<i64>,
    pub reason_code: Option<String>,
    /// A text of motcua, never of the source.
    pub hint: Option<String>,
    pub last_success: Option<i64>,
    pub data_until: Option<i64>,
}

/// Columns of a figure that a night may change: those of table `figures` besides the key, the run and `gone`.
fn value_columns() -> Vec<&'static str> {
    let values = row_columns().filter(|column| column.role == FigureColumnRole::Value);
    values.map(|column| column.name).collect()
}

/// Replaces the published night in one transaction. Returns the number of its figures, and of the rows added to the
/// history.
pub(super) async fn replace(
    connection: &mut PgConnection,
    target: &PostgresTarget,
    night: &NightPublication<'_>,
) -> Result<(u64, u64), PostgresError> {
    let failed = || target.failed("publish");
    begin(connection, target).await.map_err(failed())?;
    refuse_other_nights(connection, target, &night.record.night).await?;
    let written = write(connection, target, night).await.map_err(failed())?;
    commit_night(connection).await.map_err(failed())?;
    Ok(written)
}

/// Fails unless the published night is an older one or the same.
async fn refuse_other_nights(
    connection: &mut PgConnection,
    target: &PostgresTarget,
    night: &Night,
) -> Result<(), PostgresError> {
    let schema = target.quoted_schema();
    let query = format!(
        "SELECT max(run), coalesce(bool_or(as_of <> $2::text::timestamptz) FILTER (WHERE run = $1), false) FROM {schema}.runs"
    );
    let (newest, is_other): (Option<i64>, bool) = sqlx::query_as(AssertSqlSafe(query))
        .bind(night.run)
        .bind(instant::display(night.as_of))
        .fetch_one(connection)
        .await
        .map_err(target.failed("publish"))?;
    let (schema, location) = (target.schema.clone(), target.location().to_owned());
    match newest {
        Some(held) if held > night.run => Err(PostgresError::NewerRun { schema, location, held, run: night.run }),
        _ if is_other => Err(PostgresError::OtherFolder { schema, location, run: night.run }),
        _ => Ok(()),
    }
}

async fn write(
    connection: &mut PgConnection,
    target: &PostgresTarget,
    night: &NightPublication<'_>,
) -> Result<(u64, u64), sqlx::Error> {
    let (schema, of_night) = (target.quoted_schema(), &night.record.night);
    let columns: Vec<&str> = row_columns().map(|column| column.name).collect();
    let latest = format!("{schema}.figure_latest");
    execute(connection, format!("CREATE TEMPORARY TABLE incoming (LIKE {latest}) ON COMMIT DROP")).await?;
    let rows = night.figures.iter().map(|figure| FigureRow::new(figure, of_night));
    let write = |row: &mut CopyRow<'_>, figure: FigureRow<'_>| write_figure(row, &figure);
    let figures = copy_rows(connection, "pg_temp.incoming", &columns, rows, write).await?;
    execute(connection, "ANALYZE pg_temp.incoming".to_owned()).await?;
    let changed = execute(connection, append_changes(&schema, of_night.run)).await?;
    // Not TRUNCATE: it would wait for every reader, and every new reader for it.
    execute(connection, format!("DELETE FROM {latest}")).await?;
    let columns = columns.join(", ");
    execute(connection, format!("INSERT INTO {latest} ({columns}) SELECT {columns} FROM pg_temp.incoming")).await?;
    replace_small(connection, &schema, "indicators", &INDICATORS, night.indicators.iter(), write_indicator).await?;
    replace_small(connection, &schema, "agencies", &AGENCIES, night.agencies.iter(), write_agency).await?;
    replace_small(connection, &schema, "connectors", &CONNECTORS, night.connectors.iter(), write_connector).await?;
    // A night that is published again keeps the moment of its first publication.
    sqlx::query(AssertSqlSafe(format!(
        "INSERT INTO {schema}.runs (run, as_of, complete, data_until, not_whole, figures, published_at) VALUES \
         ($1, $2::text::timestamptz, $3, $4::text::timestamptz, $5, $6, $7::text::timestamptz) \
         ON CONFLICT (run) DO NOTHING"
    )))
    .bind(of_night.run)
    .bind(instant::display(of_night.as_of))
    .bind(of_night.complete)
    .bind(of_night.data_until.map(instant::display))
    .bind(&night.record.not_whole)
    .bind(i64::try_from(figures).unwrap_or(i64::MAX))
    .bind(instant::display(night.published_at))
    .execute(connection)
    .await?;
    Ok((figures, changed))
}

/// SQL that appends to `figures` what differs between `figure_latest` (the newest published night) and `incoming`. Both
/// tables are written in one transaction, so `figure_latest` is always the state that the history ends with.
fn append_changes(schema: &str, run: i64) -> String {
    let key: Vec<_> = key_columns().collect();
    let values = value_columns();
    let all: Vec<&str> = key.iter().map(|column| column.name).chain(values.iter().copied()).collect();
    let of = |table: &str, columns: &[&str]| {
        columns.iter().map(|column| format!("{table}.{column}")).collect::<Vec<_>>().join(", ")
    };
    let same = key.iter().map(|column| match column.name {
        name if column.is_nullable => format!("coalesce(old.{name}, '') = coalesce(new.{name}, '')"),
        name => format!("old.{name} = new.{name}"),
    });
    let (columns, same) = (all.join(", "), same.collect::<Vec<_>>().join(" AND "));
    format!(
        "INSERT INTO {schema}.figures (run, gone, {columns}) \
         SELECT {run}, false, {new} FROM pg_temp.incoming AS new LEFT JOIN {schema}.figure_latest AS old ON {same} \
         WHERE old.indicator IS NULL OR ({old_content}) IS DISTINCT FROM ({new_content}) \
         UNION ALL \
         SELECT {run}, true, {old} FROM {schema}.figure_latest AS old \
         WHERE NOT EXISTS (SELECT FROM pg_temp.incoming AS new WHERE {same})",
        new = of("new", &all),
        old = of("old", &all),
        old_content = of("old", &values),
        new_content = of("new", &values),
    )
}

/// Replaces all rows of a small table.
async fn replace_small<T>(
    connection: &mut PgConnection,
    schema: &str,
    table: &str,
    columns: &[&str],
    rows: impl Iterator<Item = T>,
    write: impl Fn(&mut CopyRow<'_>, T),
) -> Result<(), sqlx::Error> {
    let table = format!("{schema}.{table}");
    execute(connection, format!("DELETE FROM {table}")).await?;
    copy_rows(connection, &table, columns, rows, write).await?;
    Ok(())
}

/// Writes a row of `figure_latest`, in the order of [`row_columns`].
fn write_figure(row: &mut CopyRow<'_>, figure: &FigureRow<'_>) {
    for column in row_columns() {
        match figure.cell(column) {
            FigureCell::Null => row.null(),
            FigureCell::Text(text) => row.cell(text),
            FigureCell::Integer(number) => row.cell(number),
            FigureCell::Float(number) => row.cell(number),
            FigureCell::Flag(flag) => row.cell(flag),
            FigureCell::Day(day) => row.cell(day),
            FigureCell::Instant(micros) => row.cell(instant::display(micros)),
            FigureCell::Met(met) => row.cell(met_word(met)),
        };
    }
}

const INDICATORS: [&str; 15] = [
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
    "target_period",
];

fn write_indicator(row: &mut CopyRow<'_>, (definition, digest): &(&IndicatorDefinition, &str)) {
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
        .optional(definition.note.as_ref())
        .optional(definition.target.and_then(Target::annual_name));
}

const AGENCIES: [&str; 10] =
    ["agency", "name", "kind", "tier", "vertical", "parent", "valid_from", "valid_to", "other_codes", "aliases"];

fn write_agency(row: &mut CopyRow<'_>, agency: &Agency) {
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

fn write_connector(row: &mut CopyRow<'_>, connector: &ConnectorRow) {
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
