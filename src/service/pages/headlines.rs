//! The headline indicators of a scope: their figures, and how a month differs from the one before.

use std::collections::HashMap;

use jiff::civil::Date;

use super::figures::selection::Selection;
use super::figures::shown_figure::ShownFigure;
use super::figures::trend;
use crate::config::DefinedIndicator;
use crate::indicators::period_changes;
use crate::locale::{Initial, Language, UnitSpace};
use crate::model::figure::Figure;
use crate::model::indicator::Better;
use crate::model::period::Period;
use crate::service::Service;

/// Days of a month after which it is compared; until then the month before is.
const DAYS_OF_A_MONTH: i8 = 10;

/// A difference between two periods, in words.
#[derive(Debug)]
pub(super) struct ShownChange {
    /// CSS class: `better`, `worse` or `same`.
    pub(super) class: &'static str,
    /// For example `−1,25 điểm %`.
    pub(super) text: String,
}

impl ShownChange {
    pub(super) fn new(lang: Language, figure: &Figure, better: Better, change: f64) -> Self {
        let class = match (change.total_cmp(&0.0), better) {
            (std::cmp::Ordering::Equal, _) => "same",
            (std::cmp::Ordering::Greater, Better::Higher) | (std::cmp::Ordering::Less, Better::Lower) => "better",
            _ => "worse",
        };
        let text = if class == "same" {
            lang.of("không đổi", "unchanged").to_owned()
        } else {
            lang.change(figure.kind, change, UnitSpace::NonBreaking)
        };
        Self { class, text }
    }
}

/// Value of `now` minus that of `then`, as both are shown; `None` if one has none.
pub(super) fn difference(now: &Figure, then: &Figure) -> Option<f64> {
    period_changes(&[now, then], now.period).last().copied().flatten()
}

/// The month of a night that is compared with the one before: the running one if it has lasted ten days, else the last one.
pub(super) fn compared_month(today: Date) -> Period {
    let month = Period::Month { year: today.year(), month: today.month() };
    let is_long = today.day() > DAYS_OF_A_MONTH;
    if is_long { month } else { month.previous().unwrap_or(month) }
}

/// One headline indicator of a scope.
#[derive(Debug)]
pub(super) struct Headline {
    pub(super) id: String,
    pub(super) title: String,
    pub(super) figure: ShownFigure,
    pub(super) spark: Option<String>,
    /// The compared month, and its difference from the month before.
    pub(super) month: Option<(ShownFigure, Option<ShownChange>)>,
}

/// The headline indicators that have a figure for the selected scope and period. `month`: see [`compared_month`].
pub(super) fn headlines(service: &Service, lang: Language, selection: &Selection, month: Period) -> Vec<Headline> {
    let mut figures: HashMap<&str, Vec<&Figure>> = HashMap::new();
    for figure in selection.of_scope() {
        figures.entry(&figure.indicator).or_default().push(figure);
    }
    let headline = |known: &DefinedIndicator| {
        let definition = &known.definition;
        let own = figures.get(definition.id.as_str())?;
        let of = |period: Period| own.iter().copied().find(|figure| figure.period == period);
        let figure = of(selection.period)?;
        let shown_month = of(month).filter(|figure| figure.value().is_some()).map(|now| {
            let change = month.previous().and_then(of).and_then(|then| difference(now, then));
            let change = change.map(|change| ShownChange::new(lang, now, definition.better, change));
            (ShownFigure::new(lang, now), change)
        });
        // Months, since a year has few of its kind.
        let months = trend::until(own.iter().copied(), month);
        Some(Headline {
            id: definition.id.clone(),
            title: lang.of(&definition.title.vi, &definition.title.en).to_owned(),
            figure: ShownFigure::new(lang, figure),
            spark: trend::spark(lang, &months),
            month: shown_month,
        })
    };
    service.config.headline_indicators().into_iter().filter_map(headline).collect()
}

/// The compared month and the one before, for example `Tháng 11/2026 so với tháng 10/2026`.
pub(super) fn compared_months(lang: Language, month: Period) -> String {
    let now = lang.period(month, Initial::Upper);
    match month.previous() {
        Some(before) => {
            format!("{now} {} {}", lang.of("so với", "compared with"), lang.period(before, Initial::Lower))
        }
        None => now,
    }
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    #[test]
    fn a_month_is_compared_once_it_has_lasted() {
        let month = |year, month| Period::Month { year, month };
        assert_eq!(compared_month(date(2026, 11, 10)), month(2026, 10));
        assert_eq!(compared_month(date(2026, 11, 11)), month(2026, 11));
        assert_eq!(compared_month(date(2026, 1, 2)), month(2025, 12));
    }
}
