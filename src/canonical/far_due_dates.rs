//! Due dates more than ten years after the reception: typing errors such as the year 2062, or 2046 for 2026.

use jiff::ToSpan as _;

use crate::fields::FieldReader;
use crate::model::instant::{DAY_MICROS, local};
use crate::model::record::Value;
use crate::model::table::RecordKind;

/// Longest time from a reception to a due date, in years.
const MOST_YEARS: i32 = 10;
/// Days within which no due date is too late, whatever the leap years.
const DAYS_WITHIN: i64 = 3_652;

/// Due dates by table, and the dates that they count from: the first that the record has.
fn due_dates(kind: RecordKind) -> &'static [(&'static str, &'static [&'static str])] {
    match kind {
        RecordKind::Dossiers => &[
            ("due_at", &["received_at", "submitted_at"]),
            ("first_due_at", &["received_at", "submitted_at"]),
            ("apology_new_due_at", &["received_at", "submitted_at"]),
            ("accept_due_at", &["submitted_at", "received_at"]),
        ],
        RecordKind::Feedback => &[("due_at", &["received_at"])],
        RecordKind::DossierNotes => &[("apology_new_due_at", &["apology_at"])],
        RecordKind::PostalItems | RecordKind::Measures | RecordKind::Procedures => &[],
    }
}

/// The due dates that a connector maps without a `most` of their own.
#[derive(Debug, Clone)]
pub(super) struct FarDueDates {
    /// Index of the reader, index of its column, indices of the dates that it counts from.
    due: Vec<(usize, usize, Vec<usize>)>,
}

impl FarDueDates {
    pub(super) fn new(kind: RecordKind, readers: &[FieldReader]) -> Self {
        let at = |name: &&str| kind.column_index(name).expect("the table has its dates");
        let of_reader = |(due, from): &(&str, &[&str])| {
            let reader = readers.iter().position(|reader| reader.column == *due && !reader.has_most)?;
            Some((reader, at(due), from.iter().map(at).collect()))
        };
        Self { due: due_dates(kind).iter().filter_map(of_reader).collect() }
    }

    /// Due dates of a record that are too late: index of the reader and of its column.
    pub(super) fn found(&self, values: &[Value]) -> Vec<(usize, usize)> {
        let instant = |column: &usize| values[*column].as_instant();
        let is_far = |(_, due, from): &&(usize, usize, Vec<usize>)| {
            instant(due).zip(from.iter().find_map(instant)).is_some_and(|(due, from)| is_far(due, from))
        };
        self.due.iter().filter(is_far).map(|(reader, due, _)| (*reader, *due)).collect()
    }
}

/// Whether a due date lies on a day more than ten years after another date.
fn is_far(due: i64, from: i64) -> bool {
    due.saturating_sub(from) > DAYS_WITHIN * DAY_MICROS
        && local(from).date().checked_add(MOST_YEARS.years()).is_ok_and(|last| local(due).date() > last)
}

#[cfg(test)]
mod tests {
    use jiff::civil::{Date, date};

    use super::*;
    use crate::model::instant::from_local;

    #[test]
    fn a_due_date_is_at_most_ten_years_after_the_reception() {
        let at = |day: Date, hour: i8| from_local(day.at(hour, 0, 0, 0));
        for (from, due, far) in [
            (date(2026, 3, 2), date(2026, 3, 10), false),
            (date(2026, 3, 2), date(2036, 3, 2), false),
            (date(2026, 3, 2), date(2036, 3, 3), true),
            // 29 February has no like in 2034: ten years end on the 28th.
            (date(2024, 2, 29), date(2034, 2, 28), false),
            (date(2024, 2, 29), date(2034, 3, 1), true),
            // The year of the Buddhist calendar.
            (date(2026, 10, 1), date(2569, 10, 20), true),
            (date(2026, 3, 2), date(2016, 3, 2), false),
        ] {
            assert_eq!(is_far(at(due, 17), at(from, 8)), far, "{from} {due}");
        }
    }
}
