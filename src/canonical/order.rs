//! Dates in an order that cannot be (domain F.5). Pure.

use crate::model::instant;
use crate::model::record::Value;
use crate::model::table::Kind;

/// How far the source's clock may be ahead of ours.
const SKEW_MICROS: i64 = 10 * 60 * 1_000_000;

/// Name, the date that must not be earlier, the date that it is held against.
type Order = (&'static str, &'static str, &'static str);

/// What must not come before what, by table.
fn orders(kind: Kind) -> &'static [Order] {
    match kind {
        Kind::Dossiers => &[
            ("completed_before_received", "completed_at", "received_at"),
            ("returned_before_received", "returned_at", "received_at"),
            ("due_before_received", "due_at", "received_at"),
        ],
        Kind::PostalItems => &[("delivered_before_accepted", "delivered_at", "accepted_at")],
        Kind::Feedback => &[
            ("handled_before_received", "handled_at", "received_at"),
            ("answered_before_received", "answered_at", "received_at"),
            ("published_before_answered", "published_at", "answered_at"),
        ],
        Kind::Measures | Kind::Procedures => &[],
        Kind::DossierNotes => &[("new_due_before_apology", "apology_new_due_at", "apology_at")],
    }
}

/// What cannot be more than what: name and the two numbers.
fn shares(kind: Kind) -> &'static [Order] {
    match kind {
        Kind::Measures => &[("numerator_above_denominator", "numerator", "denominator")],
        Kind::Dossiers | Kind::PostalItems | Kind::Feedback | Kind::DossierNotes | Kind::Procedures => &[],
    }
}

/// What cannot lie in the future: name and date.
fn passed(kind: Kind) -> &'static [(&'static str, &'static str)] {
    match kind {
        Kind::Dossiers => &[("received_in_future", "received_at"), ("completed_in_future", "completed_at")],
        Kind::PostalItems => &[("accepted_in_future", "accepted_at")],
        Kind::Feedback => &[("received_in_future", "received_at"), ("handled_in_future", "handled_at")],
        Kind::Measures => &[("entered_in_future", "entered_at")],
        Kind::DossierNotes => &[("apology_in_future", "apology_at")],
        Kind::Procedures => &[],
    }
}

/// Names of everything that is held against a date or a whole, of all tables; a name may stand twice.
#[must_use]
pub fn names() -> Vec<&'static str> {
    let of_table = |kind| {
        let pairs = orders(kind).iter().chain(shares(kind)).map(|(name, ..)| *name);
        pairs.chain(passed(kind).iter().map(|(name, _)| *name))
    };
    Kind::ALL.into_iter().flat_map(of_table).collect()
}

/// The orders of one table, with the positions of their columns.
#[derive(Debug, Clone)]
pub(super) struct Orders {
    /// Name, field that is told, positions of the later and the earlier date.
    dates: Vec<(&'static str, &'static str, usize, usize)>,
    passed: Vec<(&'static str, &'static str, usize)>,
    shares: Vec<(&'static str, &'static str, usize, usize)>,
}

impl Orders {
    pub(super) fn of(kind: Kind) -> Self {
        let at = |name: &str| kind.column_index(name).expect("the table has its dates");
        Self {
            dates: orders(kind).iter().map(|(name, later, earlier)| (*name, *later, at(later), at(earlier))).collect(),
            shares: shares(kind).iter().map(|(name, part, whole)| (*name, *part, at(part), at(whole))).collect(),
            passed: passed(kind).iter().map(|(name, date)| (*name, *date, at(date))).collect(),
        }
    }

    /// The impossible orders of a record: name, and the field that is told. `now` in microseconds UTC.
    ///
    /// A date without a time of day is written as midnight: it is held against the other's day.
    pub(super) fn broken(&self, values: &[Value], now: i64) -> Vec<(&'static str, &'static str)> {
        let mut found = Vec::new();
        for (name, field, later, earlier) in &self.dates {
            if let (Some(later), Some(earlier)) = (values[*later].as_instant(), values[*earlier].as_instant())
                && later < earlier
                && !(is_date(later) && instant::local(later).date() >= instant::local(earlier).date())
            {
                found.push((*name, *field));
            }
        }
        for (name, field, part, whole) in &self.shares {
            if let (Value::Integer(part), Value::Integer(whole)) = (&values[*part], &values[*whole])
                && !(0..=*whole).contains(part)
            {
                found.push((*name, *field));
            }
        }
        for (name, field, date) in &self.passed {
            if values[*date].as_instant().is_some_and(|at| at > now.saturating_add(SKEW_MICROS)) {
                found.push((*name, *field));
            }
        }
        found
    }
}

/// Midnight in Viet Nam.
fn is_date(at: i64) -> bool {
    instant::local(at).time() == jiff::civil::Time::midnight()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::instant::Format;

    fn at(text: &str) -> Value {
        if text.is_empty() {
            return Value::Null;
        }
        let format = Format::compile("yyyy-MM-dd[ HH:mm]").expect("the pattern is valid");
        Value::Instant(format.read(text, &instant::vietnam()).expect("the text is a date"))
    }

    #[test]
    fn orders_that_cannot_be_are_named() {
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
            let mut values = vec![Value::Null; Kind::Dossiers.columns().len()];
            for (name, text) in [("received_at", received), ("due_at", due), ("completed_at", completed)] {
                values[Kind::Dossiers.column_index(name).expect("a column")] = at(text);
            }
            let found = Orders::of(Kind::Dossiers).broken(&values, now);
            let found: Vec<_> = found.into_iter().map(|(name, _)| name).collect();
            assert_eq!(found, expected, "{received} {due} {completed}");
        }
    }

    #[test]
    fn a_part_is_never_more_than_its_whole() {
        let kind = Kind::Measures;
        for (part, whole, broken) in [(0, 0, false), (5, 5, false), (6, 5, true), (-1, 5, true), (1, 0, true)] {
            let mut values = vec![Value::Null; kind.columns().len()];
            values[kind.column_index("numerator").expect("a column")] = Value::Integer(part);
            values[kind.column_index("denominator").expect("a column")] = Value::Integer(whole);
            let found = Orders::of(kind).broken(&values, 0);
            let expected: &[_] = if broken { &[("numerator_above_denominator", "numerator")] } else { &[] };
            assert_eq!(found, expected, "{part} of {whole}");
        }
    }
}
