//! Columns 12 and 13 of form II.06a (open dossiers) at the ends of periods, worked by hand.

use motcua::model::figure::Figure;
use motcua::model::period::Period;

use super::super::province::{Dossier, at};
use super::super::{NOW, computed};
use super::{on, plain, text};

fn open(code: &str, received: &str, due: &str) -> Dossier {
    Dossier { received: on(received), due: (!due.is_empty()).then(|| at(due)), ..plain(code) }
}

fn ended(code: &str, received: &str, due: &str, completed: &str) -> Dossier {
    Dossier { completed: on(completed), status: text("completed"), ..open(code, received, due) }
}

/// How many dossiers of the province, or of an agency, are pending and overdue; `None` without a figure.
fn stock(figures: &[Figure], agency: Option<&str>, period: &str) -> [Option<u64>; 2] {
    let count_of = |indicator: &str| {
        let wanted = Period::parse(period).expect("a period");
        let is_it = |figure: &&Figure| {
            let province = figure.agency.is_none() && figure.tier.is_none();
            *figure.indicator == *indicator
                && figure.period == wanted
                && agency.map_or(province, |code| figure.agency.as_deref() == Some(code))
        };
        let found = figures.iter().find(is_it)?;
        assert_eq!(found.denominator, None, "a stock has no denominator");
        Some(found.numerator)
    };
    [count_of("ii06a-pending"), count_of("ii06a-overdue")]
}

/// Which dossiers are open at the end of each period: `a` from December to 2 March, overdue from 11 January on; `b`
/// from 15 January on, due on 28 February; `c` waits for a supplement, so its clock is stopped; `d` and `e` ended
/// around the end of January; `f` has no due date; `g`, `h` and `i` do not count.
#[test]
fn open_dossiers_at_the_ends_of_periods() {
    let rows = [
        ended("a", "2024-12-20T08:00", "2025-01-10T17:00", "2025-03-03T08:00"),
        open("b", "2025-01-15T08:00", "2025-02-28T17:00"),
        Dossier { status: text("supplement"), ..open("c", "2025-01-06T08:00", "2025-01-20T17:00") },
        ended("d", "2025-01-20T08:00", "2025-02-20T17:00", "2025-01-31T23:59:59"),
        ended("e", "2025-01-20T08:00", "2025-02-20T17:00", "2025-02-01T00:00"),
        open("f", "2025-03-01T00:00", ""),
        Dossier { status: text("refused"), ..open("g", "2025-01-06T08:00", "2025-01-20T17:00") },
        Dossier { competent: text("S2"), ..open("h", "2025-01-06T08:00", "2025-01-20T17:00") },
        open("i", "2026-03-20T01:31", "2026-03-25T17:00"),
    ];
    let figures = computed(&rows, &[], at(NOW));
    for (period, pending, overdue, dossiers) in [
        ("2024-11", None, None, "nothing was received yet"),
        ("2024-12", Some(1), Some(0), "a"),
        ("2025-01", Some(3), Some(1), "b, c, e; a"),
        // Due today is not overdue.
        ("2025-02", Some(2), Some(1), "b, c; a"),
        ("2025-03", Some(2), Some(1), "c, f; b"),
        // A month in which nothing happened has a stock, too.
        ("2025-08", Some(2), Some(1), "c, f; b"),
        ("2025-Q1", Some(2), Some(1), "as March"),
        // 15 December to 14 January: a is overdue since the 11th, c is open, b is received on the 15th.
        ("2025-01s", Some(1), Some(1), "c; a"),
        // 15 January to 14 February.
        ("2025-02s", Some(2), Some(1), "b, c; a"),
        // 15 December to 14 March: a has ended, b is overdue since the 1st.
        ("2025-Q1s", Some(2), Some(1), "c, f; b"),
        ("2024s", None, None, "until 14 December 2024"),
        // Periods that are not over: as of the night.
        ("2026-03", Some(2), Some(1), "c, f; b"),
        ("2026", Some(2), Some(1), "c, f; b"),
    ] {
        assert_eq!(stock(&figures, None, period), [pending, overdue], "{period}: {dossiers}");
        assert_eq!(stock(&figures, Some("S1"), period), [pending, overdue], "{period}: all dossiers are at S1");
    }
    // Dossiers of a vertical agency do not count.
    assert_eq!(stock(&figures, Some("S2"), "2025-03"), [None, None]);
}

/// A dossier that became overdue and ended within a month is in no stock of a month. The stocks of two agencies add up.
#[test]
fn a_dossier_that_begins_and_ends_within_a_month_leaves_no_stock() {
    let at_agency = |agency: &str, dossier: Dossier| Dossier { competent: text(agency), ..dossier };
    let rows = [
        at_agency("S1", ended("passed", "2025-05-05T08:00", "2025-05-08T17:00", "2025-05-20T08:00")),
        // A due date at midnight includes the whole day: the first is overdue at the end of May; the second, due that
        // day, is not.
        at_agency("S3", ended("late", "2025-05-26T08:00", "2025-05-30T00:00", "2025-06-10T08:00")),
        at_agency("S3", ended("in time", "2025-05-26T08:00", "2025-05-31T00:00", "2025-06-10T08:00")),
        // Withdrawn without a date: not open since its reception.
        at_agency("S3", Dossier { status: text("withdrawn"), ..open("gone", "2025-05-05T08:00", "2025-05-08T17:00") }),
        at_agency("S1", Dossier { status: text("stopped"), ..open("paused", "2025-05-05T08:00", "2025-05-08T17:00") }),
        at_agency(
            "S1",
            Dossier { status: text("finance"), ..open("a fee is owed", "2025-06-02T08:00", "2025-06-05T17:00") },
        ),
    ];
    let figures = computed(&rows, &[], at(NOW));
    for (agency, period, expected) in [
        (Some("S1"), "2025-05", [1, 0]),
        (Some("S3"), "2025-05", [1, 1]),
        (None, "2025-05", [2, 1]),
        (Some("S1"), "2025-06", [2, 0]),
        (Some("S3"), "2025-06", [0, 0]),
        (None, "2025-06", [2, 0]),
        // 15 April to 14 May: the first dossier is overdue since the 9th.
        (Some("S1"), "2025-05s", [1, 1]),
        (None, "2025-Q2", [2, 0]),
        // 15 March to 14 June.
        (None, "2025-Q2s", [2, 0]),
    ] {
        assert_eq!(stock(&figures, agency, period), expected.map(Some), "{agency:?} {period}");
    }
}
