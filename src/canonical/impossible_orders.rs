//! Checks for dates in an impossible order, dates in the future, and parts greater than their whole (domain F.5).

use strum::IntoEnumIterator as _;

use crate::model::instant::{self, DAY_MICROS};
use crate::model::record::Value;
use crate::model::table::RecordKind;

/// Tolerance for a source whose clock is ahead: ten minutes.
const SKEW_MICROS: i64 = 10 * 60 * 1_000_000;

/// Tolerance for change times, so that a source in another time zone is not met.
const CHANGE_TIME_SKEW_MICROS: i64 = DAY_MICROS;

/// Name of the check of change times. One that is ahead would make every later version count as older.
pub(super) const CHANGED_IN_FUTURE: &str = "changed_in_future";

/// Name of the check, and two columns.
type Order = (&'static str, &'static str, &'static str);

/// Dates by table: the first column must not be earlier than the second.
fn date_orders(kind: RecordKind) -> &'static [Order] {
    match kind {
        RecordKind::Dossiers => &[
            ("completed_before_received", "completed_at", "received_at"),
            ("returned_before_received", "returned_at", "received_at"),
            ("withdrawn_before_received", "withdrawn_at", "received_at"),
            ("refused_before_received", "refused_at", "received_at"),
            ("stopped_before_received", "stopped_at", "received_at"),
            ("due_before_received", "due_at", "received_at"),
        ],
        RecordKind::PostalItems => &[("delivered_before_accepted", "delivered_at", "accepted_at")],
        RecordKind::Feedback => &[
            ("handled_before_received", "handled_at", "received_at"),
            ("answered_before_received", "answered_at", "received_at"),
            ("published_before_answered", "published_at", "answered_at"),
        ],
        RecordKind::Measures | RecordKind::Procedures => &[],
        RecordKind::DossierNotes => &[("new_due_before_apology", "apology_new_due_at", "apology_at")],
    }
}

/// Numbers by table: the first column must not be negative or greater than the second.
fn parts_of_wholes(kind: RecordKind) -> &'static [Order] {
    match kind {
        RecordKind::Measures => &[("numerator_above_denominator", "numerator", "denominator")],
        RecordKind::Dossiers
        | RecordKind::PostalItems
        | RecordKind::Feedback
        | RecordKind::DossierNotes
        | RecordKind::Procedures => &[],
    }
}

/// Dates by table that must not lie in the future: name of the check, and column.
fn past_dates(kind: RecordKind) -> &'static [(&'static str, &'static str)] {
    match kind {
        RecordKind::Dossiers => &[("received_in_future", "received_at"), ("completed_in_future", "completed_at")],
        RecordKind::PostalItems => &[("accepted_in_future", "accepted_at")],
        RecordKind::Feedback => &[("received_in_future", "received_at"), ("handled_in_future", "handled_at")],
        RecordKind::Measures => &[("entered_in_future", "entered_at")],
        RecordKind::DossierNotes => &[("apology_in_future", "apology_at")],
        RecordKind::Procedures => &[],
    }
}

/// Whether a change time cannot be right, because it lies in the future. Both in microseconds UTC.
#[must_use]
pub fn is_changed_in_future(changed_at: i64, now: i64) -> bool {
    changed_at > now.saturating_add(CHANGE_TIME_SKEW_MICROS)
}

/// Names of all checks of all tables; a name may occur twice.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let of_table = |kind| {
        let pairs = date_orders(kind).iter().chain(parts_of_wholes(kind)).map(|(name, ..)| *name);
        pairs.chain(past_dates(kind).iter().map(|(name, _)| *name))
    };
    RecordKind::iter().flat_map(of_table).chain([CHANGED_IN_FUTURE]).collect()
}

/// Checks of one table, with the indices of their columns.
#[derive(Debug, Clone)]
pub(super) struct OrderChecks {
    /// Name, reported column, indices of the later and the earlier date.
    date_orders: Vec<(&'static str, &'static str, usize, usize)>,
    /// Name, reported column, index of the date that must not lie in the future.
    past_dates: Vec<(&'static str, &'static str, usize)>,
    /// Name, reported column, indices of part and whole.
    parts_of_wholes: Vec<(&'static str, &'static str, usize, usize)>,
}

impl OrderChecks {
    pub(super) fn of(kind: RecordKind) -> Self {
        let at = |name: &str| kind.column_index(name).expect("the table has its dates");
        Self {
            date_orders: date_orders(kind)
                .iter()
                .map(|(name, later, earlier)| (*name, *later, at(later), at(earlier)))
                .collect(),
            parts_of_wholes: parts_of_wholes(kind)
                .iter()
                .map(|(name, part, whole)| (*name, *part, at(part), at(whole)))
                .collect(),
            past_dates: past_dates(kind).iter().map(|(name, date)| (*name, *date, at(date))).collect(),
        }
    }

    /// Checks that a record fails: name and reported column. `now` is in microseconds UTC.
    ///
    /// Midnight means a date without a time of day; it is compared with the day of the other date.
    pub(super) fn failed(&self, values: &[Value], now: i64) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        for (name, field, later, earlier) in &self.date_orders {
            if let (Some(later), Some(earlier)) = (values[*later].as_instant(), values[*earlier].as_instant())
                && later < earlier
                && !(is_date(later) && instant::local(later).date() >= instant::local(earlier).date())
            {
                found.push((*name, *field));
            }
        }
        for (name, field, part, whole) in &self.parts_of_wholes {
            if let (Value::Integer(part), Value::Integer(whole)) = (&values[*part], &values[*whole])
                && !(0..=*whole).contains(part)
            {
                found.push((*name, *field));
            }
        }
        for (name, field, date) in &self.past_dates {
            if values[*date].as_instant().is_some_and(|at| at > now.saturating_add(SKEW_MICROS)) {
                found.push((*name, *field));
            }
        }
        found
    }
}

/// Whether an instant is midnight in Vietnam.
fn is_date(at: i64) -> bool {
    instant::local(at).time() == jiff::civil::Time::midnight()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fields::DateFormat;

    fn at(text: &str) -> Value {
        if text.is_empty() {
            return Value::Null;
        }
        let format = DateFormat::compile("yyyy-MM-dd[ HH:mm]").expect("the pattern is valid");
        Value::Instant(format.read(text, &instant::zone()).expect("the text is a date"))
    }

    #[test]
    fn impossible_orders_are_found() {
        let now = at("2026-03-10 01:30").as_instant().expect("a date");
        for (received, due, completed, expected) in [
            ("2026-03-02 08:00", "2026-03-05 17:00", "2026-03-04 10:00", vec![]),
            // Dates without a time of day.
            ("2026-03-02 08:00", "2026-03-02", "2026-03-02", vec![]),
            ("2026-03-02 08:00", "2026-03-01", "", vec!["due_before_received"]),
            (
                "2026-03-02 08:00",
                "2026-03-02 07:59",
                "2026-03-02 07:59",
                vec!["completed_before_received", "due_before_received"],
            ),
            ("2026-03-10 01:39", "", "", vec![]),
            ("2026-03-10 01:41", "", "", vec!["received_in_future"]),
            ("", "2026-03-02", "2026-03-11", vec!["completed_in_future"]),
        ] {
            let mut values = vec![Value::Null; RecordKind::Dossiers.columns().len()];
            for (name, text) in [("received_at", received), ("due_at", due), ("completed_at", completed)] {
                values[RecordKind::Dossiers.column_index(name).expect("a column")] = at(text);
            }
            let found = OrderChecks::of(RecordKind::Dossiers).failed(&values, now);
            let found: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
            assert_eq!(found, expected, "{received} {due} {completed}");
        }
    }

    #[test]
    fn a_numerator_above_its_denominator_is_found() {
        let kind = RecordKind::Measures;
        for (part, whole, broken) in [(0, 0, false), (5, 5, false), (6, 5, true), (-1, 5, true), (1, 0, true)] {
            let mut values = vec![Value::Null; kind.columns().len()];
            values[kind.column_index("numerator").expect("a column")] = Value::Integer(part);
            values[kind.column_index("denominator").expect("a column")] = Value::Integer(whole);
            let found = OrderChecks::of(kind).failed(&values, 0);
            let expected: &[_] = if broken { &[("numerator_above_denominator", "numerator")] } else { &[] };
            assert_eq!(found, expected, "{part} of {whole}");
        }
    }
}
