//! The periods of figures, and which of them contain a half-month.
//!
//! Tables of counts have one cell per period, in the order of [`Periods::all`]; a `period_index` is a position in it.

use crate::indicators::groups::{GroupKind, GroupQuery};
use crate::indicators::inputs::FigureInputs;
use crate::indicators::rows::GroupRows;
use crate::model::indicator::PeriodColumn;
use crate::model::instant::{DAY_MICROS, from_local, local};
use crate::model::period::{HalfMonth, Period, PeriodKind, half_month_of};

/// Every named period that a range of half-months touches, or the one period that is asked for.
#[derive(Debug)]
pub(super) struct Periods {
    /// Sorted.
    pub(super) all: Vec<Period>,
    /// Kind of each period, as a position in [`PeriodKind::NAMED`]; 0 if one period is asked for.
    kinds: Vec<usize>,
    first: HalfMonth,
    /// For each half-month from `first` on, the indexes of the periods that contain it.
    containing: Vec<Vec<usize>>,
    is_one: bool,
}

impl Periods {
    /// The period that is asked for, else all named ones from the first reception or return of the rows until now.
    pub(super) fn of_rows(inputs: &FigureInputs<'_>, rows: &[GroupRows]) -> Self {
        if let Some(period) = inputs.period {
            return Self::only(period);
        }
        let first = rows.iter().flat_map(GroupRows::keys).map(|key| key.start).min();
        let now = half_month_of(local(inputs.now).date());
        Self::named(first.unwrap_or(now + 1), now)
    }

    /// The named periods of the half-months from `first` to `last`.
    pub(super) fn named(first: HalfMonth, last: HalfMonth) -> Self {
        let of_half =
            |half: HalfMonth| PeriodKind::NAMED.into_iter().filter_map(move |kind| Period::of_half_month(kind, half));
        let mut all: Vec<Period> = (first..=last).flat_map(of_half).collect();
        all.sort_unstable();
        all.dedup();
        let index_of = |period: Period| all.binary_search(&period).expect("every period of the range is listed");
        let kind_of = |period: &Period| PeriodKind::NAMED.iter().position(|kind| *kind == period.kind());
        let kinds = all.iter().map(|period| kind_of(period).expect("every period here is a named one")).collect();
        let containing = (first..=last).map(|half| of_half(half).map(index_of).collect()).collect();
        Self { all, kinds, first, containing, is_one: false }
    }

    /// The one period that is asked for. The group-bys then count only what belongs to it.
    pub(super) fn only(period: Period) -> Self {
        Self { all: vec![period], kinds: vec![0], first: 0, containing: Vec::new(), is_one: true }
    }

    /// Kind of a period, as a position in [`PeriodKind::NAMED`].
    pub(super) fn kind_number(&self, period_index: usize) -> usize {
        self.kinds[period_index]
    }

    /// Indexes of the periods that contain a half-month.
    pub(super) fn containing(&self, half: HalfMonth) -> &[usize] {
        if self.is_one {
            return &[0];
        }
        let row = usize::try_from(half - self.first).ok();
        row.and_then(|row| self.containing.get(row)).map_or(&[], Vec::as_slice)
    }

    /// Last half-month of a period. [`HalfMonth::MAX`] for a period on demand, since group-bys then count nothing after
    /// its end.
    pub(super) fn last_half(&self, period_index: usize) -> HalfMonth {
        if self.is_one {
            return HalfMonth::MAX;
        }
        self.all[period_index].half_months().expect("named periods consist of half-months").1
    }

    /// For each kind of period the indexes from the first to the last period that is touched, in order.
    pub(super) fn between_touched(&self, is_touched: impl Fn(usize) -> bool) -> Vec<usize> {
        let mut ranges = [None::<(usize, usize)>; PeriodKind::NAMED.len()];
        for index in (0..self.all.len()).filter(|index| is_touched(*index)) {
            let range = &mut ranges[self.kinds[index]];
            *range = Some((range.map_or(index, |(first, _)| first), index));
        }
        let is_between =
            |index: &usize| ranges[self.kinds[*index]].is_some_and(|(first, last)| first <= *index && *index <= last);
        (0..self.all.len()).filter(is_between).collect()
    }

    /// Whether any dossier was received in each period. Registries are counted in these periods only: otherwise one
    /// wrong date of reception would give figures for decades.
    pub(super) fn with_dossiers(&self, groups: &[GroupQuery], rows: &[GroupRows]) -> Vec<bool> {
        let mut with_dossiers = vec![false; self.all.len()];
        // For one period, other kinds of group-bys also count dossiers that were received before it.
        let counts_receptions = |group: &GroupQuery| {
            group.period_column == PeriodColumn::ReceivedAt && (group.kind == GroupKind::AtMoment || !self.is_one)
        };
        for (_, rows) in groups.iter().zip(rows).filter(|(group, _)| counts_receptions(group)) {
            for key in rows.keys() {
                self.containing(key.start).iter().for_each(|index| with_dossiers[*index] = true);
            }
        }
        with_dossiers
    }
}

/// Last microsecond of a local day, in microseconds UTC.
pub(super) fn end_of(day: jiff::civil::Date) -> i64 {
    from_local(day.into()) + DAY_MICROS - 1
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn names(periods: &Periods, indexes: &[usize]) -> Vec<String> {
        indexes.iter().map(|index| periods.all[*index].to_string()).collect()
    }

    #[test]
    fn a_half_month_belongs_to_periods_of_both_calendars() {
        let periods = Periods::named(half_month_of(date(2025, 9, 1)), half_month_of(date(2026, 1, 31)));
        let mut containing = names(&periods, periods.containing(half_month_of(date(2025, 12, 20))));
        containing.sort();
        assert_eq!(
            containing,
            ["2025", "2025-12", "2025-H2", "2025-Q4", "2026-01s", "2026-9Ms", "2026-H1s", "2026-Q1s", "2026s"]
        );
        assert!(periods.containing(half_month_of(date(2024, 1, 1))).is_empty());
    }

    #[test]
    fn periods_between_touched_ones_are_listed_and_other_kinds_are_not() {
        let periods = Periods::named(half_month_of(date(2025, 1, 1)), half_month_of(date(2025, 6, 30)));
        let touched = ["2025-02", "2025-05", "2025-Q1"];
        let indexes = periods.between_touched(|index| touched.contains(&periods.all[index].to_string().as_str()));
        assert_eq!(names(&periods, &indexes), ["2025-02", "2025-03", "2025-04", "2025-05", "2025-Q1"]);
    }
}
