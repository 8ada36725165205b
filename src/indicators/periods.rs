//! The periods that half-months count in, as places of a table.

use crate::model::period::{Half, Period, PeriodKind};

/// Every named period that a stretch of half-months touches, or the one that is asked for.
#[derive(Debug)]
pub(super) struct Periods {
    /// In their own order.
    pub(super) all: Vec<Period>,
    /// Kind of each, as a position in [`PeriodKind::NAMED`]; 0 for the one asked for.
    kinds: Vec<usize>,
    first: Half,
    /// Places of the periods that hold each half-month.
    holding: Vec<Vec<usize>>,
    asked: bool,
}

impl Periods {
    /// The named periods of the half-months from `first` to `last`.
    pub(super) fn named(first: Half, last: Half) -> Self {
        let of_half = |half: Half| PeriodKind::NAMED.into_iter().filter_map(move |kind| Period::of_half(kind, half));
        let mut all: Vec<Period> = (first..=last).flat_map(of_half).collect();
        all.sort_unstable();
        all.dedup();
        let place = |period: Period| all.binary_search(&period).expect("every period of the stretch stands");
        let kind_of = |period: &Period| PeriodKind::NAMED.iter().position(|kind| *kind == period.kind());
        let kinds = all.iter().map(|period| kind_of(period).expect("named")).collect();
        let holding = (first..=last).map(|half| of_half(half).map(place).collect()).collect();
        Self { all, kinds, first, holding, asked: false }
    }

    /// The one period that is asked for: every half-month that is counted lies in it.
    pub(super) fn only(period: Period) -> Self {
        Self { all: vec![period], kinds: vec![0], first: 0, holding: Vec::new(), asked: true }
    }

    pub(super) fn is_asked(&self) -> bool {
        self.asked
    }

    /// Places of the periods that hold a half-month.
    pub(super) fn holding(&self, half: Half) -> &[usize] {
        if self.asked {
            return &[0];
        }
        let row = usize::try_from(half - self.first).ok();
        row.and_then(|row| self.holding.get(row)).map_or(&[], Vec::as_slice)
    }

    /// Last half-month of a period; a very late one for the period asked for, since all that is counted counts by its end.
    pub(super) fn last_half(&self, place: usize) -> Half {
        if self.asked { Half::MAX } else { self.all[place].halves().expect("named periods have halves").1 }
    }

    /// The periods between the first and the last of a kind that is touched, in order.
    pub(super) fn between_touched(&self, is_touched: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut ranges = [None::<(usize, usize)>; PeriodKind::NAMED.len()];
        for place in (0..self.all.len()).filter(|place| is_touched(*place)) {
            let range = &mut ranges[self.kinds[place]];
            *range = Some((range.map_or(place, |(first, _)| first), place));
        }
        let lies_within =
            |place: &usize| ranges[self.kinds[*place]].is_some_and(|(first, last)| first <= *place && *place <= last);
        (0..self.all.len()).filter(lies_within).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::period::half_of;
    use jiff::civil::date;

    fn names(periods: &Periods, places: &[usize]) -> Vec<String> {
        places.iter().map(|place| periods.all[*place].to_string()).collect()
    }

    #[test]
    fn a_half_month_counts_in_its_periods_of_both_calendars() {
        let periods = Periods::named(half_of(date(2025, 9, 1)), half_of(date(2026, 1, 31)));
        let mut held = names(&periods, periods.holding(half_of(date(2025, 12, 20))));
        held.sort();
        assert_eq!(
            held,
            ["2025", "2025-12", "2025-H2", "2025-Q4", "2026-01s", "2026-9Ms", "2026-H1s", "2026-Q1s", "2026s"]
        );
        assert!(periods.holding(half_of(date(2024, 1, 1))).is_empty());
    }

    #[test]
    fn what_lies_between_stands_and_other_kinds_do_not() {
        let periods = Periods::named(half_of(date(2025, 1, 1)), half_of(date(2025, 6, 30)));
        let touched = ["2025-02", "2025-05", "2025-Q1"];
        let places = periods.between_touched(|place| touched.contains(&periods.all[place].to_string().as_str()));
        assert_eq!(names(&periods, &places), ["2025-02", "2025-03", "2025-04", "2025-05", "2025-Q1"]);
    }
}
