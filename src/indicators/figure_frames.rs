//! Figures as data frames: rows of table `figure_versions`, the published Parquet file and Arrow answers, and figures
//! read back.

use std::borrow::Cow;
use std::collections::HashSet;
use std::sync::Arc;

use jiff::civil::Date;
use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::indicators::figure_columns::{
    FIGURE_COLUMNS, FigureCell, FigureColumn, FigureColumnForms, FigureColumnType, FigureOfNight, met_word,
};
use crate::model::agency::Tier;
use crate::model::figure::{Figure, Night};
use crate::model::indicator::IndicatorKind;
use crate::model::period::Period;

/// What makes a figure the same figure on another night: indicator, tier, agency, period and rule set.
pub type FigureKey = (Arc<str>, Option<Tier>, Option<Arc<str>>, Period, Arc<str>);

/// The key of a figure.
#[must_use]
pub fn figure_key(figure: &Figure) -> FigureKey {
    (figure.indicator.clone(), figure.tier, figure.agency.clone(), figure.period, figure.rules.clone())
}

/// Rows of table `figure_versions`.
///
/// # Errors
/// Never in practice: the columns have one length.
pub fn stored_frame(figures: &[FigureOfNight<'_>]) -> Result<DataFrame, IndicatorError> {
    let columns = FIGURE_COLUMNS.iter().filter(|column| column.forms != FigureColumnForms::Rows);
    figure_frame(columns, figures)
}

/// Rows of the published Parquet file: all columns.
///
/// # Errors
/// As [`stored_frame`].
pub fn published_frame(figures: &[Figure], night: Night) -> Result<DataFrame, IndicatorError> {
    let rows: Vec<_> = figures.iter().map(|figure| FigureOfNight { figure, night, is_gone: false }).collect();
    figure_frame(FIGURE_COLUMNS, &rows)
}

/// A frame of the given columns.
///
/// # Errors
/// As [`stored_frame`].
pub fn figure_frame<'a>(
    columns: impl IntoIterator<Item = &'a FigureColumn>,
    rows: &[FigureOfNight<'_>],
) -> Result<DataFrame, IndicatorError> {
    let columns = columns.into_iter().map(|column| cells(column, rows)).collect::<PolarsResult<Vec<_>>>()?;
    Ok(DataFrame::new(rows.len(), columns)?)
}

fn cells(column: &FigureColumn, rows: &[FigureOfNight<'_>]) -> PolarsResult<Column> {
    let name = PlSmallStr::from_static(column.name);
    let cells = rows.iter().map(column.read);
    Ok(match column.column_type {
        FigureColumnType::Text | FigureColumnType::Met => {
            StringChunked::from_iter_options(name, cells.map(text_of)).into_column()
        }
        FigureColumnType::Integer | FigureColumnType::Count => {
            Int64Chunked::from_iter_options(name, cells.map(|cell| integer_of(&cell))).into_column()
        }
        FigureColumnType::Float => {
            Float64Chunked::from_iter_options(name, cells.map(|cell| float_of(&cell))).into_column()
        }
        FigureColumnType::Flag => {
            BooleanChunked::from_iter_options(name, cells.map(|cell| flag_of(&cell))).into_column()
        }
        FigureColumnType::Day => Int32Chunked::from_iter_options(name, cells.map(|cell| epoch_day_of(&cell)))
            .into_column()
            .cast(&DataType::Date)?,
        FigureColumnType::Instant => Int64Chunked::from_iter_options(name, cells.map(|cell| integer_of(&cell)))
            .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
            .into_column(),
    })
}

fn text_of(cell: FigureCell<'_>) -> Option<Cow<'_, str>> {
    match cell {
        FigureCell::Text(text) => Some(text),
        FigureCell::Met(met) => Some(Cow::Borrowed(met_word(met))),
        _ => None,
    }
}

fn integer_of(cell: &FigureCell<'_>) -> Option<i64> {
    match cell {
        FigureCell::Integer(number) | FigureCell::Instant(number) => Some(*number),
        _ => None,
    }
}

fn float_of(cell: &FigureCell<'_>) -> Option<f64> {
    if let FigureCell::Float(number) = cell { Some(*number) } else { None }
}

fn flag_of(cell: &FigureCell<'_>) -> Option<bool> {
    if let FigureCell::Flag(flag) = cell { Some(*flag) } else { None }
}

/// Days since 1970-01-01.
fn epoch_day_of(cell: &FigureCell<'_>) -> Option<i32> {
    let FigureCell::Day(day) = cell else { return None };
    day.since(Date::constant(1970, 1, 1)).ok().map(|span| span.get_days())
}

/// Reads figures back, in the order of the frame. Rows of figures that are gone are left out. Needs the stored columns
/// only.
///
/// # Errors
/// A column that is missing or of another type.
pub fn figures_from_frame(frame: &DataFrame) -> Result<Vec<Figure>, IndicatorError> {
    let text = |name: &str| frame.column(name).and_then(|column| column.str());
    let number = |name: &str| frame.column(name).and_then(|column| column.i64());
    let (indicator, definition, rules) = (text("indicator")?, text("definition")?, text("rules")?);
    let (agency, agency_name, tier, period) = (text("agency")?, text("agency_name")?, text("tier")?, text("period")?);
    let (numerator, denominator) = (number("numerator")?, number("denominator")?);
    let (reachable, one_sided) = (number("reachable")?, number("one_sided")?);
    let (target, gone) = (frame.column("target")?.f64()?, frame.column("gone")?.bool()?);
    let kind = frame.column("kind").ok().map(|column| column.str()).transpose()?;
    // A night of an older motcua has no such column: its targets were judged for every period.
    let target_period = frame.column("target_period").ok().map(|column| column.str()).transpose()?;
    let target_periods_of = |row: usize| {
        let stated = target_period.and_then(|column| column.get(row)).and_then(|periods| periods.parse().ok());
        stated.unwrap_or_default()
    };
    // Older files do not have these columns.
    let optional = |name: &str| frame.column(name).ok().map(|column| column.i64()).transpose();
    let (unknown, undecided) = (optional("unknown")?, optional("undecided")?);
    let kind_of = |row: usize| {
        let stated = kind.and_then(|kind| kind.get(row)).and_then(|kind| kind.parse().ok());
        let is_ratio = denominator.get(row).is_some();
        stated.unwrap_or(if is_ratio { IndicatorKind::Ratio } else { IndicatorKind::Count })
    };
    let count = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
    // Texts are shared: the million figures of a night have a few hundred different ones.
    let mut known: HashSet<Arc<str>> = HashSet::new();
    let mut shared = |value: Option<&str>| -> Option<Arc<str>> {
        let text = value?;
        if let Some(text) = known.get(text) {
            return Some(Arc::clone(text));
        }
        let text: Arc<str> = text.into();
        known.insert(Arc::clone(&text));
        Some(text)
    };
    let mut figures = Vec::with_capacity(frame.height());
    for row in 0..frame.height() {
        let Some(period) = period.get(row).and_then(Period::parse) else { continue };
        if gone.get(row) == Some(true) {
            continue;
        }
        figures.push(Figure {
            indicator: shared(indicator.get(row)).unwrap_or_default(),
            kind: kind_of(row),
            definition: shared(definition.get(row)).unwrap_or_default(),
            rules: shared(rules.get(row)).unwrap_or_default(),
            agency: shared(agency.get(row)),
            agency_name: shared(agency_name.get(row)),
            tier: tier.get(row).and_then(|tier| tier.parse().ok()),
            period,
            numerator: count(numerator.get(row)).unwrap_or(0),
            denominator: count(denominator.get(row)),
            reachable: count(reachable.get(row)).unwrap_or(0),
            one_sided: count(one_sided.get(row)),
            unknown: count(unknown.and_then(|unknown| unknown.get(row))),
            undecided: count(undecided.and_then(|undecided| undecided.get(row))),
            target: target.get(row),
            target_periods: target_periods_of(row),
        });
    }
    Ok(figures)
}
