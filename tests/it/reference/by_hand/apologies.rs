//! 3.4.4, worked by hand: an apology counts if it was sent at the latest one day before the limit (NĐ 61/2018/NĐ-CP
//! art. 19(9)); the limit is the one before the apology. Notes with more than one extension are in `notes`.

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{done, on, own_agency, plain, text};

type Row = (&'static str, Dossier, Option<[u64; 4]>);

/// Compares, for each dossier, the numerators of 3.4.4 (timely), of any apology stated, and of late ones, and the
/// denominator; `None` if it is not known to be late. Each row is a dossier of an agency of its own.
fn assert_kinds(rows: &[Row]) {
    let dossiers: Vec<Dossier> =
        rows.iter().enumerate().map(|(number, (_, dossier, _))| own_agency(number, dossier)).collect();
    let figures = computed(&dossiers, &[], at(NOW));
    let counts = |number: usize, indicator: &str| {
        let agency = format!("H61.{number}");
        let mut of_year = figures.iter().filter(|figure| figure.period.to_string() == "2025");
        of_year
            .find(|figure| *figure.indicator == *indicator && figure.agency.as_deref() == Some(&*agency))
            .map(|figure| (figure.numerator, figure.denominator.expect("a ratio")))
            .filter(|(_, denominator)| *denominator > 0)
    };
    for (number, (what, _, expected)) in rows.iter().enumerate() {
        let [timely, stated, late] =
            ["par-3.4.4", "par-3.4.4-stated", "par-3.4.4-late"].map(|indicator| counts(number, indicator));
        let found = timely.map(|(timely, all)| {
            let numerator = |of: Option<(u64, u64)>| of.expect("the same dossiers").0;
            [timely, numerator(stated), numerator(late), all]
        });
        assert_eq!(found, *expected, "{what}");
    }
}

const TIMELY: [u64; 4] = [1, 1, 0, 1];
const LATE: [u64; 4] = [0, 1, 1, 1];
const ABSENT: [u64; 4] = [0, 0, 0, 1];
/// Stated, but whether it was in time is not known.
const UNKNOWN: [u64; 4] = [0, 1, 0, 1];

/// Each dossier was received on Monday 5 May 2025, is due on Thursday 8 May at 17:00, and ended on the 9th.
#[test]
fn an_apology_is_timely_late_or_absent() {
    let late = || done("1", "2025-05-09T10:00");
    let sent = |moment| Dossier { apology: on(moment), ..late() };
    let rows = [
        ("none", late(), ABSENT),
        ("two days before", sent("2025-05-06T10:00"), TIMELY),
        ("the evening before", sent("2025-05-07T23:59:59"), TIMELY),
        ("a date, the day before", sent("2025-05-07T00:00"), TIMELY),
        ("the morning of the day", sent("2025-05-08T00:00"), LATE),
        ("after the limit", sent("2025-05-20T10:00"), LATE),
        ("a number without a date", Dossier { apology_number: text("12/XL"), ..late() }, UNKNOWN),
        ("a new date without a date", Dossier { apology_due: on("2025-05-15T17:00"), ..late() }, UNKNOWN),
        ("a number with a date", Dossier { apology_number: text("12/XL"), ..sent("2025-05-07T10:00") }, TIMELY),
        // Due on the 8th without a time of day: the same days.
        ("due date without a time", Dossier { due: on("2025-05-08T00:00"), ..sent("2025-05-07T10:00") }, TIMELY),
        ("due date without a time, late", Dossier { due: on("2025-05-08T00:00"), ..sent("2025-05-08T10:00") }, LATE),
        // No due date: three working days, the 8th.
        ("statutory", Dossier { due: None, ..sent("2025-05-07T10:00") }, TIMELY),
        ("statutory, late", Dossier { due: None, ..sent("2025-05-08T10:00") }, LATE),
        // Still open and overdue.
        ("open", Dossier { apology: on("2025-05-07T10:00"), ..plain("1") }, TIMELY),
    ];
    assert_kinds(&rows.map(|(what, dossier, expected)| (what, dossier, Some(expected))));
}

/// The portal's due date was replaced by the apology's, the 15th. The limit is the date before it, the 8th.
#[test]
fn the_limit_is_the_one_before_the_apology() {
    let moved = |first: Option<i64>, moment| Dossier {
        due: on("2025-05-15T17:00"),
        first_due: first,
        apology_due: on("2025-05-15T17:00"),
        apology: on(moment),
        ..done("1", "2025-05-16T10:00")
    };
    let rows = [
        ("before the first date", moved(on("2025-05-08T17:00"), "2025-05-07T10:00"), TIMELY),
        ("after it, before the new one", moved(on("2025-05-08T17:00"), "2025-05-12T10:00"), LATE),
        // The first date is not known. It was before the 15th.
        ("hidden", moved(None, "2025-05-07T10:00"), UNKNOWN),
        ("hidden, on the new day", moved(None, "2025-05-15T10:00"), LATE),
    ];
    assert_kinds(&rows.map(|(what, dossier, expected)| (what, dossier, Some(expected))));
}

/// Without a due date of any kind a dossier is not on time, but nobody knows whether it is late.
#[test]
fn without_any_due_date_a_dossier_is_not_known_to_be_late() {
    let without = |dossier: Dossier| Dossier { due: None, procedure: text("9.999999"), ..dossier };
    let apologised = |dossier: Dossier| Dossier { apology: on("2025-05-07T10:00"), ..dossier };
    assert_kinds(&[
        ("ended", without(done("1", "2025-06-09T10:00")), None),
        ("open", without(plain("1")), None),
        ("apologised", apologised(without(done("1", "2025-06-09T10:00"))), None),
        // It ended before its reception: a mistake, which owes no apology.
        ("impossible", without(done("1", "2025-05-02T10:00")), None),
        ("impossible, apologised", apologised(without(done("1", "2025-05-02T10:00"))), None),
    ]);
}
