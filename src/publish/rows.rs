//! A figure as other programs read it: counts, ratio, target and how far it can be trusted.

use std::io::{self, Write};

use serde::{Serialize, Serializer};
use utoipa::ToSchema;

use crate::indicators::Rank;
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Met, Night};
use crate::model::instant;

/// One row; the fields are those of `report --format json`, in this order.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct FigureRow<'a> {
    pub indicator: &'a str,
    pub definition: &'a str,
    pub rules: &'a str,
    /// Null for a whole tier or the province.
    pub agency: Option<&'a str>,
    pub agency_name: Option<&'a str>,
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
    /// `true`, `false`, or `"open"` while pending dossiers could still reach the target.
    #[schema(value_type = Option<MetSchema>)]
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
    #[schema(ignore)]
    pub rank: Option<RankWord>,
    /// Only where periods were compared: by how much the value of the period asked for is above this one; null on its own row.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(ignore)]
    pub change: Option<Option<f64>>,
}

/// A place, `"too_few"`, `"nothing"`, or null for what is not ranked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RankWord(pub Option<Rank>);

impl Serialize for RankWord {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Some(Rank::Place(place)) => serializer.serialize_u64(place as u64),
            Some(Rank::TooFew) => serializer.serialize_str("too_few"),
            Some(Rank::NoDossiers) => serializer.serialize_str("nothing"),
            None => serializer.serialize_none(),
        }
    }
}

/// How [`MetWord`] is written.
#[derive(Debug, ToSchema)]
#[schema(as = Met)]
#[serde(untagged)]
#[expect(dead_code, reason = "describes JSON that `MetWord` writes")]
enum MetSchema {
    Decided(bool),
    Open(OpenWord),
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "describes JSON that `MetWord` writes")]
enum OpenWord {
    Open,
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

impl<'a> FigureRow<'a> {
    #[must_use]
    pub fn new(figure: &'a Figure, night: &Night) -> Self {
        Self {
            indicator: &figure.indicator,
            definition: &figure.definition,
            rules: &figure.rules,
            agency: figure.agency.as_deref(),
            agency_name: figure.agency_name.as_deref(),
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
            change: None,
        }
    }

    /// With its rank, for an answer in which ranks were asked for.
    #[must_use]
    pub fn with_rank(mut self, rank: Option<Rank>) -> Self {
        self.rank = Some(RankWord(rank));
        self
    }

    /// With how far the period asked for is above it, for an answer that compares periods.
    #[must_use]
    pub fn with_change(mut self, change: Option<f64>) -> Self {
        self.change = Some(change);
        self
    }
}

/// Writes rows as a JSON array, one row a line.
///
/// # Errors
/// What `out` says.
pub fn json<'a>(out: &mut impl Write, rows: impl IntoIterator<Item = FigureRow<'a>>) -> io::Result<()> {
    out.write_all(b"[")?;
    let mut between = "\n";
    for row in rows {
        out.write_all(between.as_bytes())?;
        serde_json::to_writer(&mut *out, &row)?;
        between = ",\n";
    }
    out.write_all(if between == "\n" { b"]\n" } else { b"\n]\n" })
}

/// The header, which stands even without rows.
pub(super) const COLUMNS: [&str; 21] = [
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

/// Writes rows as CSV with a header (RFC 4180, UTF-8); null is empty.
///
/// # Errors
/// What `out` says.
pub fn csv<'a>(out: &mut impl Write, rows: impl IntoIterator<Item = FigureRow<'a>>) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    let mut rows = rows.into_iter().peekable();
    if rows.peek().is_none() {
        writer.write_record(COLUMNS)?;
    }
    for row in rows {
        writer.serialize(row)?;
    }
    writer.flush()
}
