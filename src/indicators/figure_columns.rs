//! The columns of a figure, declared once.
//!
//! Every form of a figure is made from [`FIGURE_COLUMNS`]: table `figure_versions`, the published CSV, JSON and Parquet
//! files, the answers of the API and its OpenAPI schema, and the PostgreSQL tables. A new column is added here and
//! appears in all of them, except in PostgreSQL: it also needs a migration, which a test holds to this list.

use std::borrow::Cow;

use jiff::civil::Date;

use crate::lake::StoredType;
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Met, Night};
use crate::model::indicator::TargetPeriods;

/// A figure and the night that it belongs to: what a row is made from.
#[derive(Debug, Clone, Copy)]
pub struct FigureOfNight<'a> {
    pub figure: &'a Figure,
    pub night: Night,
    /// Whether the night no longer has the figure, which is then the one of an earlier night.
    pub is_gone: bool,
}

/// Type of the values of a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureColumnType {
    Text,
    Integer,
    /// An integer from 0.
    Count,
    Float,
    Flag,
    /// A day of the calendar.
    Day,
    /// Microseconds UTC.
    Instant,
    /// `true`, `false`, `open` or `unknown`.
    Met,
}

impl FigureColumnType {
    /// Type in a table of the lake, which has no days: they are written as texts.
    fn stored(self) -> StoredType {
        match self {
            Self::Text | Self::Met | Self::Day => StoredType::Text,
            Self::Integer | Self::Count => StoredType::Integer,
            Self::Float => StoredType::Float,
            Self::Flag => StoredType::Flag,
            Self::Instant => StoredType::Instant,
        }
    }
}

/// One value of a row.
#[derive(Debug, Clone, PartialEq)]
pub enum FigureCell<'a> {
    Null,
    Text(Cow<'a, str>),
    Integer(i64),
    Float(f64),
    Flag(bool),
    Day(Date),
    /// Microseconds UTC.
    Instant(i64),
    Met(Met),
}

/// Word of a column of type [`FigureColumnType::Met`].
#[must_use]
pub fn met_word(met: Met) -> &'static str {
    match met {
        Met::Yes => "true",
        Met::No => "false",
        Met::Open => "open",
        Met::Unknown => "unknown",
    }
}

/// What the values of a column belong to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureColumnRole {
    /// Part of the key: two figures of different nights with the same key are versions of one figure.
    Key,
    /// A value of the figure, which another night may change.
    Value,
    /// A value of the night, the same in all its rows.
    Night,
}

/// Which forms have a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FigureColumnForms {
    /// All forms.
    All,
    /// Every form but table `figure_versions`: the value is computed from other columns or from the night.
    Rows,
    /// Table `figure_versions` and the published Parquet file, from which figures are read back.
    Stored,
}

/// A column of a figure.
#[derive(Debug, Clone, Copy)]
pub struct FigureColumn {
    pub name: &'static str,
    pub column_type: FigureColumnType,
    pub is_nullable: bool,
    /// What the column holds, in English.
    pub description: &'static str,
    pub role: FigureColumnRole,
    pub forms: FigureColumnForms,
    pub read: for<'a> fn(&FigureOfNight<'a>) -> FigureCell<'a>,
}

impl FigureColumn {
    /// A column of all forms with a value of the figure that is never null.
    const fn new(
        name: &'static str,
        column_type: FigureColumnType,
        description: &'static str,
        read: for<'a> fn(&FigureOfNight<'a>) -> FigureCell<'a>,
    ) -> Self {
        let (role, forms) = (FigureColumnRole::Value, FigureColumnForms::All);
        Self { name, column_type, is_nullable: false, description, role, forms, read }
    }

    const fn nullable(self) -> Self {
        Self { is_nullable: true, ..self }
    }

    const fn role(self, role: FigureColumnRole) -> Self {
        Self { role, ..self }
    }

    const fn only(self, forms: FigureColumnForms) -> Self {
        Self { forms, ..self }
    }
}

/// Every column, in the order of all forms.
pub const FIGURE_COLUMNS: &[FigureColumn] = &[
    FigureColumn::new("indicator", FigureColumnType::Text, "Id of the indicator.", |row| text(&row.figure.indicator))
        .role(FigureColumnRole::Key),
    FigureColumn::new(
        "definition",
        FigureColumnType::Text,
        "Digest of the definition and the rule set that the figure was computed by.",
        |row| text(&row.figure.definition),
    ),
    FigureColumn::new("rules", FigureColumnType::Text, "Rule set that the figure was computed by.", |row| {
        text(&row.figure.rules)
    })
    .role(FigureColumnRole::Key),
    FigureColumn::new(
        "agency",
        FigureColumnType::Text,
        "Code of the agency; null for a whole tier and for the province.",
        |row| optional_text(row.figure.agency.as_deref()),
    )
    .role(FigureColumnRole::Key)
    .nullable(),
    FigureColumn::new(
        "agency_name",
        FigureColumnType::Text,
        "Name of the agency as of the night; null for a whole tier and for the province.",
        |row| optional_text(row.figure.agency_name.as_deref()),
    )
    .nullable(),
    FigureColumn::new(
        "tier",
        FigureColumnType::Text,
        "`province`, `district` or `commune`; null for the province as a whole and for an agency that is not in the registry.",
        |row| optional_text(row.figure.tier.map(Tier::name)),
    )
    .role(FigureColumnRole::Key)
    .nullable(),
    FigureColumn::new(
        "period",
        FigureColumnType::Text,
        "Name of the period: `2026`, `2026-Q3`, `2026-09`, …; a final `s` marks the statutory period from the 15th to the 14th.",
        |row| FigureCell::Text(row.figure.period.to_string().into()),
    )
    .role(FigureColumnRole::Key),
    FigureColumn::new("period_start", FigureColumnType::Day, "First day of the period.", |row| {
        FigureCell::Day(row.figure.period.start())
    })
    .only(FigureColumnForms::Rows),
    FigureColumn::new("period_end", FigureColumnType::Day, "Last day of the period.", |row| {
        FigureCell::Day(row.figure.period.end())
    })
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "numerator",
        FigureColumnType::Count,
        "Number that counts for the indicator; of a mean the sum of the amounts, of points their sum, of a median the amount itself.",
        |row| count(Some(row.figure.numerator)),
    ),
    FigureColumn::new(
        "denominator",
        FigureColumnType::Count,
        "Number that the numerator is divided by; null for a count and a stock.",
        |row| count(row.figure.denominator),
    )
    .nullable(),
    FigureColumn::new(
        "reachable",
        FigureColumnType::Count,
        "What the numerator would be if every dossier that is open in time ended on time.",
        |row| count(Some(row.figure.reachable)),
    )
    .only(FigureColumnForms::Stored),
    FigureColumn::new(
        "one_sided",
        FigureColumnType::Count,
        "Dossiers of the numerator of which only the portal or only the post has evidence; null if post plays no part.",
        |row| count(row.figure.one_sided),
    )
    .nullable()
    .only(FigureColumnForms::Stored),
    FigureColumn::new(
        "ratio",
        FigureColumnType::Float,
        "Share between 0 and 1 with four decimals; null if the denominator is 0 (không phát sinh), if all of it is unknown (không có dữ liệu), and for an indicator that is no ratio.",
        |row| float(row.figure.ratio()),
    )
    .nullable()
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "target",
        FigureColumnType::Float,
        "What the law asks for: a share, or a number for a count; null without a target.",
        |row| float(row.figure.target),
    )
    .nullable(),
    FigureColumn::new(
        "met",
        FigureColumnType::Met,
        "Whether the target is met: `true`, `false`, `open` while pending dossiers could still reach it, or `unknown` if what is unknown decides; null without a target, without dossiers, and below the year of an annual target.",
        |row| row.figure.met().map_or(FigureCell::Null, FigureCell::Met),
    )
    .nullable()
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "complete",
        FigureColumnType::Flag,
        "Whether every connector was read whole; otherwise the figure is provisional.",
        |row| FigureCell::Flag(row.night.complete),
    )
    .role(FigureColumnRole::Night)
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "data_until",
        FigureColumnType::Instant,
        "Newest dossier date of the connector that lags most; null if no connector has one.",
        |row| row.night.data_until.map_or(FigureCell::Null, whole_seconds),
    )
    .role(FigureColumnRole::Night)
    .nullable()
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "unmatched",
        FigureColumnType::Float,
        "Share of the numerator of which only the portal or only the post has evidence; null if post plays no part or the numerator is 0.",
        |row| float(row.figure.unmatched()),
    )
    .nullable()
    .only(FigureColumnForms::Rows),
    FigureColumn::new("as_of", FigureColumnType::Instant, "Moment that the figure describes.", |row| {
        whole_seconds(row.night.as_of)
    })
    .role(FigureColumnRole::Night)
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "gone",
        FigureColumnType::Flag,
        "Whether the night no longer has the figure; the other columns are then those that it had last.",
        |row| FigureCell::Flag(row.is_gone),
    )
    .only(FigureColumnForms::Stored),
    FigureColumn::new("run", FigureColumnType::Integer, "Number of the night's run.", |row| {
        FigureCell::Integer(row.night.run)
    })
    .role(FigureColumnRole::Night),
    FigureColumn::new("kind", FigureColumnType::Text, "`ratio`, `count`, `mean`, `points`, `median` or `stock`.", |row| {
        FigureCell::Text(row.figure.kind.name().into())
    }),
    FigureColumn::new(
        "value",
        FigureColumnType::Float,
        "The ratio, the count, the mean points, or the mean or median amount; null if the denominator is 0 or all of it is unknown.",
        |row| float(row.figure.value()),
    )
    .nullable()
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "target_period",
        FigureColumnType::Text,
        "`year` if the target is judged for years only, so that `met` is null for shorter periods; else null.",
        |row| {
            let periods = row.figure.target.map(|_| row.figure.target_periods);
            optional_text(periods.filter(|periods| !periods.is_all()).map(TargetPeriods::name))
        },
    )
    .nullable(),
    FigureColumn::new(
        "unknown",
        FigureColumnType::Count,
        "What is in the denominator while the data do not say whether it is in the numerator; of a mean, points or a median the dossiers without a known amount; null if the night did not count it.",
        |row| count(row.figure.unknown),
    )
    .nullable(),
    FigureColumn::new(
        "undecided",
        FigureColumnType::Count,
        "What may belong to the denominator, while the data do not say whether it does; null if the night did not count it.",
        |row| count(row.figure.undecided),
    )
    .nullable(),
    FigureColumn::new(
        "ratio_least",
        FigureColumnType::Float,
        "The ratio if nothing that is unknown were in the numerator; null if the denominator is 0, if `unknown` is null, and for an indicator that is no ratio.",
        |row| float(row.figure.bounds().map(|[least, _]| least)),
    )
    .nullable()
    .only(FigureColumnForms::Rows),
    FigureColumn::new(
        "ratio_most",
        FigureColumnType::Float,
        "The ratio if all that is unknown were in the numerator; null where `ratio_least` is.",
        |row| float(row.figure.bounds().map(|[_, most]| most)),
    )
    .nullable()
    .only(FigureColumnForms::Rows),
];

fn text(text: &str) -> FigureCell<'_> {
    FigureCell::Text(Cow::Borrowed(text))
}

fn optional_text(text: Option<&str>) -> FigureCell<'_> {
    text.map_or(FigureCell::Null, |text| FigureCell::Text(Cow::Borrowed(text)))
}

fn count(count: Option<u64>) -> FigureCell<'static> {
    count.map_or(FigureCell::Null, |count| FigureCell::Integer(i64::try_from(count).unwrap_or(i64::MAX)))
}

fn float(number: Option<f64>) -> FigureCell<'static> {
    number.map_or(FigureCell::Null, FigureCell::Float)
}

/// The columns of rows for readers: CSV, JSON, the API and PostgreSQL.
pub fn row_columns() -> impl Iterator<Item = &'static FigureColumn> {
    FIGURE_COLUMNS.iter().filter(|column| column.forms != FigureColumnForms::Stored)
}

/// Name and type of the columns of table `figure_versions`.
#[must_use]
pub fn stored_columns() -> Vec<(&'static str, StoredType)> {
    let stored = FIGURE_COLUMNS.iter().filter(|column| column.forms != FigureColumnForms::Rows);
    stored.map(|column| (column.name, column.column_type.stored())).collect()
}

/// Names of the columns of a figure's key.
pub fn key_columns() -> impl Iterator<Item = &'static FigureColumn> {
    FIGURE_COLUMNS.iter().filter(|column| column.role == FigureColumnRole::Key)
}

/// A moment of the night to the second, in every form: texts show no fractions.
fn whole_seconds(micros: i64) -> FigureCell<'static> {
    FigureCell::Instant(micros.div_euclid(1_000_000) * 1_000_000)
}
