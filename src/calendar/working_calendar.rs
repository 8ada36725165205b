//! Working days: which days are worked, and counting in working days.

use std::collections::HashMap;

use jiff::ToSpan as _;
use jiff::civil::{Date, Weekday};

use crate::model::day::{CalendarDay, DayKind};

/// Working days: Monday to Friday without holidays and exchanged days off, plus the Saturdays worked in exchange.
#[derive(Debug, Clone, Default)]
pub struct WorkingCalendar {
    days: HashMap<Date, DayKind>,
}

impl WorkingCalendar {
    #[must_use]
    pub fn new(days: &[CalendarDay]) -> Self {
        Self { days: days.iter().map(|day| (day.date, day.kind)).collect() }
    }

    #[must_use]
    pub fn is_working(&self, day: Date) -> bool {
        match self.days.get(&day) {
            Some(DayKind::Holiday | DayKind::Compensation) => false,
            Some(DayKind::Working) => true,
            None => !matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday),
        }
    }

    /// Day that is `count` working days after the last working day at or before `day`.
    ///
    /// # Panics
    /// If the result leaves the years −9999 to 9999.
    #[must_use]
    pub fn add_working_days(&self, day: Date, count: u32) -> Date {
        let mut at = day;
        while !self.is_working(at) {
            at = at.yesterday().expect("working days are never years apart");
        }
        for _ in 0..count {
            at = at.tomorrow().expect("statutory times are days, not millennia");
            while !self.is_working(at) {
                at = at.tomorrow().expect("working days are never years apart");
            }
        }
        at
    }

    /// First of the `count` working days of which the last is the last working day at or before `day`.
    ///
    /// # Panics
    /// If the result leaves the years −9999 to 9999.
    #[must_use]
    pub fn back_working_days(&self, day: Date, count: u32) -> Date {
        let mut at = day;
        let mut left = count;
        loop {
            left -= u32::from(left > 0 && self.is_working(at));
            if left == 0 {
                return at;
            }
            at = at.yesterday().expect("working days are never years apart");
        }
    }

    /// Each day from `first` to `last`, with the number of working days from `first` up to and including it.
    #[must_use]
    pub fn ordinals(&self, first: Date, last: Date) -> Vec<(Date, i32)> {
        let mut ordinal = 0;
        first
            .series(1.day())
            .take_while(|day| *day <= last)
            .map(|day| {
                ordinal += i32::from(self.is_working(day));
                (day, ordinal)
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::date;

    fn calendar() -> WorkingCalendar {
        // The exchange of 2025 (domain D): Friday 2 May off, Saturday 26 April worked; 30 April and 1 May are holidays.
        WorkingCalendar::new(&[
            CalendarDay { date: date(2025, 4, 26), kind: DayKind::Working },
            CalendarDay { date: date(2025, 4, 30), kind: DayKind::Holiday },
            CalendarDay { date: date(2025, 5, 1), kind: DayKind::Holiday },
            CalendarDay { date: date(2025, 5, 2), kind: DayKind::Compensation },
        ])
    }

    #[test]
    fn working_days_are_added_over_holidays_and_exchanged_days() {
        let calendar = calendar();
        for (day, count, expected) in [
            (date(2025, 4, 25), 1, date(2025, 4, 26)), // Friday → the worked Saturday
            (date(2025, 4, 26), 1, date(2025, 4, 28)), // over Sunday
            (date(2025, 4, 29), 1, date(2025, 5, 5)),  // over holidays, the day off and a weekend
            (date(2025, 5, 3), 1, date(2025, 5, 5)),   // received on a Saturday off: counts from the Tuesday before
            (date(2025, 4, 29), 0, date(2025, 4, 29)),
        ] {
            assert_eq!(calendar.add_working_days(day, count), expected, "{day} + {count}");
        }
    }

    #[test]
    fn working_days_are_counted_back_over_holidays_and_exchanged_days() {
        let calendar = calendar();
        for (day, count, expected) in [
            (date(2025, 5, 5), 1, date(2025, 5, 5)),
            (date(2025, 5, 5), 2, date(2025, 4, 29)), // over the weekend, the day off and the holidays
            (date(2025, 5, 4), 1, date(2025, 4, 29)), // a Sunday: the working day before it
            (date(2025, 4, 28), 2, date(2025, 4, 26)), // over Sunday to the worked Saturday
        ] {
            assert_eq!(calendar.back_working_days(day, count), expected, "{day} - {count}");
        }
    }

    #[test]
    fn ordinals_rise_on_working_days_only() {
        let ordinals: Vec<i32> =
            calendar().ordinals(date(2025, 4, 28), date(2025, 5, 5)).into_iter().map(|(_, ordinal)| ordinal).collect();
        assert_eq!(ordinals, [1, 2, 2, 2, 2, 2, 2, 3]);
    }
}
