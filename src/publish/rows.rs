//! A figure as other programs read it: counts, ratio, target and how far it can be trusted.

use serde::{Serialize, Serializer};

use crate::indicators::Rank;
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Met, Night};
use crate::model::instant;

/// One row; the fields are those of `report --format json`, in this order.
#[derive(Debug, Clone, Serialize)]
pub struct FigureRow {
    pub indicator: String,
    pub definition: String,
    pub rules: String,
    /// Null for a whole tier or the province.
    pub agency: Option<String>,
    pub agency_name: Option<String>,
    /// Null for the province, and for an agency that is not in the registry.
    pub tier: Option<&'static str>,
    pub period: String,
    pub period_start: String,
    pub period_end: String,
    pub numerator: u64,
    pub denominator: Option<u64>,
    /// Null when nothing was received ("không phát sinh"), and for what is no ratio.
    pub ratio: Option<f64>,
    pub target: Option<f64>,
    pub met: Option<MetWord>,
    pub complete: bool,
    pub data_until: Option<String>,
    pub unmatched: Option<f64>,
    pub as_of: String,
    pub run: i64,
    /// ratio · count · mean · median · stock.
    pub kind: &'static str,
    /// The ratio, the count, or the mean or median amount; null of nothing.
    pub value: Option<f64>,
    /// Only where ranks were asked for: a place, `too_few` or `nothing`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<RankWord>,
}

/// A place, `"too_few"`, `"nothing"`, or null for what is not ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankWord(pub Option<Rank>);

impl Serialize for RankWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Rank::Place(place)) => serializer.serialize_u64(place as u64),
            Some(Rank::TooFew) => serializer.serialize_str("too_few"),
            Some(Rank::Nothing) => serializer.serialize_str("nothing"),
            None => serializer.serialize_none(),
        }
    }
}

/// `true`, `false` or `"open"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MetWord(pub Met);

impl Serialize for MetWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Met::Yes => serializer.serialize_bool(true),
            Met::No => serializer.serialize_bool(false),
            Met::Open => serializer.serialize_str("open"),
        }
    }
}

impl FigureRow {
    #[must_use]
    pub fn new(figure: &Figure, night: &Night) -> Self {
        Self {
            indicator: figure.indicator.clone(),
            definition: figure.definition.clone(),
            rules: figure.rules.clone(),
            agency: figure.agency.clone(),
            agency_name: figure.agency_name.clone(),
            tier: figure.tier.map(Tier::name),
            period: figure.period.to_string(),
            period_start: figure.period.start().to_string(),
            period_end: figure.period.end().to_string(),
            numerator: figure.numerator,
            denominator: figure.denominator,
            ratio: figure.ratio(),
            target: figure.target,
            met: figure.met().map(MetWord),
            complete: night.complete,
            data_until: night.data_until.map(instant::display),
            unmatched: figure.unmatched(),
            as_of: instant::display(night.as_of),
            run: night.run,
            kind: figure.kind.name(),
            value: figure.value(),
            rank: None,
        }
    }

    /// With its rank, for an answer in which ranks were asked for.
    #[must_use]
    pub fn with_rank(mut self, rank: Option<Rank>) -> Self {
        self.rank = Some(RankWord(rank));
        self
    }
}

/// Rows as a JSON array, one row a line.
///
/// # Panics
/// Never: rows are plain data.
#[must_use]
pub fn json(rows: &[FigureRow]) -> String {
    let lines: Vec<String> = rows.iter().map(|row| serde_json::to_string(row).expect("rows are plain data")).collect();
    if lines.is_empty() { "[]\n".to_owned() } else { format!("[\n{}\n]\n", lines.join(",\n")) }
}

/// The header, which stands even without rows.
const COLUMNS: [&str; 21] = [
    "indicator",
    "definition",
    "rules",
    "agency",
    "agency_name",
    "tier",
    "period",
    "period_start",
    "period_end",
    "numerator",
    "denominator",
    "ratio",
    "target",
    "met",
    "complete",
    "data_until",
    "unmatched",
    "as_of",
    "run",
    "kind",
    "value",
];

/// Rows as CSV with a header (RFC 4180, UTF-8); null is empty.
///
/// # Panics
/// Never: writing into memory cannot fail.
#[must_use]
pub fn csv(rows: &[FigureRow]) -> String {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    if rows.is_empty() {
        writer.write_record(COLUMNS).expect("writing into memory cannot fail");
    }
    for row in rows {
        writer.serialize(CsvRow::from(row)).expect("writing into memory cannot fail");
    }
    String::from_utf8(writer.into_inner().expect("writing into memory cannot fail")).expect("rows are UTF-8")
}

/// The same row with `met` as a word.
#[derive(Serialize)]
struct CsvRow<'a> {
    indicator: &'a str,
    definition: &'a str,
    rules: &'a str,
    agency: Option<&'a str>,
    agency_name: Option<&'a str>,
    tier: Option<&'a str>,
    period: &'a str,
    period_start: &'a str,
    period_end: &'a str,
    numerator: u64,
    denominator: Option<u64>,
    ratio: Option<f64>,
    target: Option<f64>,
    met: Option<&'static str>,
    complete: bool,
    data_until: Option<&'a str>,
    unmatched: Option<f64>,
    as_of: &'a str,
    run: i64,
    kind: &'static str,
    value: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    rank: Option<RankWord>,
}

impl<'a> From<&'a FigureRow> for CsvRow<'a> {
    fn from(row: &'a FigureRow) -> Self {
        Self {
            indicator: &row.indicator,
            definition: &row.definition,
            rules: &row.rules,
            agency: row.agency.as_deref(),
            agency_name: row.agency_name.as_deref(),
            tier: row.tier,
            period: &row.period,
            period_start: &row.period_start,
            period_end: &row.period_end,
            numerator: row.numerator,
            denominator: row.denominator,
            ratio: row.ratio,
            target: row.target,
            met: row.met.map(|met| match met.0 {
                Met::Yes => "true",
                Met::No => "false",
                Met::Open => "open",
            }),
            complete: row.complete,
            data_until: row.data_until.as_deref(),
            unmatched: row.unmatched,
            as_of: &row.as_of,
            run: row.run,
            kind: row.kind,
            value: row.value,
            rank: row.rank,
        }
    }
}
