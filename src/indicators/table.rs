//! Figures as a table with one row per figure: stored as versions, published as Parquet, and read back.

use std::collections::HashSet;
use std::sync::Arc;

use polars::prelude::*;

use crate::indicators::IndicatorError;
use crate::lake::StoredType;
use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::indicator::IndicatorKind;
use crate::model::period::Period;

/// Columns of `figure_versions`, in stored order. `gone` marks a figure that a later night no longer has.
pub const FIGURE_COLUMNS: &[(&str, StoredType)] = &[
    ("indicator", StoredType::Text),
    ("definition", StoredType::Text),
    ("rules", StoredType::Text),
    ("agency", StoredType::Text),
    ("agency_name", StoredType::Text),
    ("tier", StoredType::Text),
    ("period", StoredType::Text),
    ("numerator", StoredType::Integer),
    ("denominator", StoredType::Integer),
    ("reachable", StoredType::Integer),
    ("one_sided", StoredType::Integer),
    ("target", StoredType::Float),
    ("gone", StoredType::Flag),
    ("run", StoredType::Integer),
    // Null in rows of older versions of the program: then a figure with a denominator is a ratio, another one a count.
    ("kind", StoredType::Text),
];

/// Key of a figure, by which it is the same figure on another night: indicator, tier, agency, period, rule set.
pub type FigureKey = (Arc<str>, Option<Tier>, Option<Arc<str>>, Period, Arc<str>);

#[must_use]
pub fn figure_key(figure: &Figure) -> FigureKey {
    (figure.indicator.clone(), figure.tier, figure.agency.clone(), figure.period, figure.rules.clone())
}

fn number(count: u64) -> i64 {
    i64::try_from(count).unwrap_or(i64::MAX)
}

/// Figures as a frame with [`FIGURE_COLUMNS`]. Each figure comes with the value of `gone`.
///
/// # Errors
/// Never in practice: the columns have the same length.
pub fn figures_to_frame(figures: &[(&Figure, bool)], run: i64) -> Result<DataFrame, IndicatorError> {
    fn texts<'a>(figures: &'a [(&Figure, bool)], of: impl Fn(&'a Figure) -> Option<&'a str>) -> Vec<Option<&'a str>> {
        figures.iter().map(|(figure, _)| of(figure)).collect()
    }
    let numbers = |of: &dyn Fn(&Figure) -> Option<u64>| -> Vec<Option<i64>> {
        figures.iter().map(|(figure, _)| of(figure).map(number)).collect()
    };
    let periods: Vec<String> = figures.iter().map(|(figure, _)| figure.period.to_string()).collect();
    let columns = vec![
        Column::new("indicator".into(), texts(figures, |figure| Some(&figure.indicator))),
        Column::new("definition".into(), texts(figures, |figure| Some(&figure.definition))),
        Column::new("rules".into(), texts(figures, |figure| Some(&figure.rules))),
        Column::new("agency".into(), texts(figures, |figure| figure.agency.as_deref())),
        Column::new("agency_name".into(), texts(figures, |figure| figure.agency_name.as_deref())),
        Column::new("tier".into(), texts(figures, |figure| figure.tier.map(Tier::name))),
        Column::new("period".into(), periods),
        Column::new("numerator".into(), numbers(&|figure| Some(figure.numerator))),
        Column::new("denominator".into(), numbers(&|figure| figure.denominator)),
        Column::new("reachable".into(), numbers(&|figure| Some(figure.reachable))),
        Column::new("one_sided".into(), numbers(&|figure| figure.one_sided)),
        Column::new("target".into(), figures.iter().map(|(figure, _)| figure.target).collect::<Vec<_>>()),
        Column::new("gone".into(), figures.iter().map(|(_, gone)| *gone).collect::<Vec<_>>()),
        Column::new("run".into(), vec![run; figures.len()]),
        Column::new("kind".into(), texts(figures, |figure| Some(figure.kind.name()))),
    ];
    Ok(DataFrame::new(figures.len(), columns)?)
}

/// Reads figures back, in the order of the frame. Rows with `gone` are left out.
///
/// # Errors
/// A column is missing or has another type.
pub fn figures_from_frame(frame: &DataFrame) -> Result<Vec<Figure>, IndicatorError> {
    let text = |name: &str| frame.column(name).and_then(|column| column.str());
    let number = |name: &str| frame.column(name).and_then(|column| column.i64());
    let (indicator, definition, rules) = (text("indicator")?, text("definition")?, text("rules")?);
    let (agency, agency_name, tier, period) = (text("agency")?, text("agency_name")?, text("tier")?, text("period")?);
    let (numerator, denominator) = (number("numerator")?, number("denominator")?);
    let (reachable, one_sided) = (number("reachable")?, number("one_sided")?);
    let (target, gone) = (frame.column("target")?.f64()?, frame.column("gone")?.bool()?);
    let kind = frame.column("kind").ok().map(|column| column.str()).transpose()?;
    let kind_of = |row: usize| {
        let stored = kind.and_then(|kind| kind.get(row)).and_then(IndicatorKind::from_name);
        let has_denominator = denominator.get(row).is_some();
        stored.unwrap_or(if has_denominator { IndicatorKind::Ratio } else { IndicatorKind::Count })
    };
    let count = |value: Option<i64>| value.and_then(|value| u64::try_from(value).ok());
    // A night has many figures but few distinct texts, so equal texts share one allocation.
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
            tier: tier.get(row).and_then(Tier::from_name),
            period,
            numerator: count(numerator.get(row)).unwrap_or(0),
            denominator: count(denominator.get(row)),
            reachable: count(reachable.get(row)).unwrap_or(0),
            one_sided: count(one_sided.get(row)),
            target: target.get(row),
        });
    }
    Ok(figures)
}
