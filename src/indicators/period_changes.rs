//! By how much the figures of a period differ from those of other periods.

use std::collections::HashMap;

use crate::model::agency::Tier;
use crate::model::figure::Figure;
use crate::model::period::Period;

/// The parts of a figure's key that are equal in another period: indicator, rule set, tier, agency.
type KeyWithoutPeriod<'a> = (&'a str, &'a str, Option<Tier>, Option<&'a str>);

fn key_without_period(figure: &Figure) -> KeyWithoutPeriod<'_> {
    (&figure.indicator, &figure.rules, figure.tier, figure.agency.as_deref())
}

/// For each figure of another period: the value of `period` minus the figure's value; for ratios as a share.
///
/// `None` for figures of `period` itself, and if one of the two has no value. Values are rounded as they are shown
/// before they are subtracted, so that a reader gets the same result.
#[must_use]
pub fn period_changes(figures: &[&Figure], period: Period) -> Vec<Option<f64>> {
    let of_period = figures.iter().filter(|figure| figure.period == period);
    let values: HashMap<KeyWithoutPeriod<'_>, Option<f64>> =
        of_period.map(|figure| (key_without_period(figure), figure.value())).collect();
    let change = |figure: &&Figure| {
        let (now, then) = ((*values.get(&key_without_period(figure))?)?, figure.value()?);
        // Both have at most four decimals.
        (figure.period != period).then(|| ((now - then) * 10_000.0).round() / 10_000.0)
    };
    figures.iter().map(change).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::indicator::{IndicatorKind, TargetPeriods};

    fn figure(
        agency: Option<&str>,
        month: i8,
        kind: IndicatorKind,
        numerator: u64,
        denominator: Option<u64>,
    ) -> Figure {
        Figure {
            indicator: "x".into(),
            kind,
            definition: "".into(),
            rules: "".into(),
            agency: agency.map(Into::into),
            agency_name: None,
            tier: Some(Tier::Commune),
            period: Period::Month { year: 2026, month },
            numerator,
            denominator,
            reachable: 0,
            one_sided: None,
            unknown: Some(0),
            undecided: Some(0),
            target: None,
            target_periods: TargetPeriods::All,
        }
    }

    #[test]
    fn a_change_is_the_period_s_value_minus_that_of_the_same_row() {
        let ratio = |agency, month, numerator, denominator| {
            figure(agency, month, IndicatorKind::Ratio, numerator, Some(denominator))
        };
        let figures = [
            ratio(None, 3, 2, 3),
            ratio(None, 2, 1, 2),
            ratio(Some("X"), 3, 1, 4),
            ratio(Some("X"), 2, 3, 4),
            // Y has no dossiers in February, and Z has no figure for March.
            ratio(Some("Y"), 3, 1, 4),
            ratio(Some("Y"), 2, 0, 0),
            ratio(Some("Z"), 2, 1, 1),
        ];
        let all: Vec<&Figure> = figures.iter().collect();
        // Two thirds are shown as 66.67 %.
        let expected = [None, Some(0.1667), None, Some(-0.5), None, None, None];
        assert_eq!(period_changes(&all, Period::Month { year: 2026, month: 3 }), expected);
        let stock = |month, numerator| figure(None, month, IndicatorKind::Stock, numerator, None);
        let stocks = [stock(3, 12), stock(2, 40)];
        let all: Vec<&Figure> = stocks.iter().collect();
        assert_eq!(period_changes(&all, Period::Month { year: 2026, month: 3 }), [None, Some(-28.0)]);
    }
}
